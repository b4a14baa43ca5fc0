"""No other machine is reached: never by default, and with ``--airgap`` whatever may try."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import typer
from lacking import skip_unless_in_ci
from test_package import python

from rag.cli.main import app

SEEDS = Path(__file__).parents[2] / "seeds"

TRY = """
import asyncio, json, os, socket, subprocess, sys, urllib.request
from rag.runtime import airgap
from rag.errors import AirGapped

airgap.close()
names, numbers = ("example.org", 80), ("198.51.100.1", 80)
udp = lambda: socket.socket(type=socket.SOCK_DGRAM)
attempts = {
    "connect": lambda: socket.create_connection(numbers, 1),
    "connect_ex": lambda: socket.socket().connect_ex(numbers),
    "version 6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "mapped": lambda: socket.socket(socket.AF_INET6).connect(("::ffff:198.51.100.1", 80)),
    "sendto": lambda: udp().sendto(b"x", numbers),
    "sendmsg": lambda: udp().sendmsg([b"x"], [], 0, numbers),
    "getaddrinfo": lambda: socket.getaddrinfo(*names),
    "gethostbyname": lambda: socket.gethostbyname("example.org"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("example.org"),
    "getnameinfo": lambda: socket.getnameinfo(names, 0),
    "who has an address": lambda: socket.gethostbyaddr(numbers[0]),
    "who has this one": lambda: socket.getnameinfo(numbers, 0),
    "urllib": lambda: urllib.request.urlopen("http://example.org"),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(*numbers)),
}
found = {}
for name, attempt in attempts.items():
    try:
        attempt()
    except Exception as error:
        while not isinstance(error, AirGapped) and error.__context__ is not None:
            error = error.__context__
        found[name] = type(error).__name__
    else:
        found[name] = "reached"
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(("localhost", server.getsockname()[1])).close()
one, other = socket.socketpair()
one.sendall(b"x")
socket.getaddrinfo("0.0.0.0", 80)
# The processes in which files are read ask nobody but the environment.
child = '''
import socket, sys
from rag.documents.sandbox import worker
from rag.errors import AirGapped
worker.worker_streams()
try:
    socket.gethostbyname("example.org")
except AirGapped:
    sys.exit(7)
'''
ended = subprocess.run([sys.executable, "-c", child], capture_output=True)
found["child"] = "AirGapped" if ended.returncode == 7 else f"exit {ended.returncode}"
print(json.dumps(found))
"""

DRIVE = """
import json, signal, subprocess, sys, urllib.request

articles, library = sys.argv[1:]
rag = [sys.executable, "-m", "rag"]
at = ["--library", library]
subprocess.run([*rag, "index", articles, *at], check=True, stdout=subprocess.DEVNULL)
subprocess.run([*rag, "ask", "Who led the mission?", *at], check=True)
served = subprocess.Popen([*rag, "serve", "--port", "0", *at], stderr=subprocess.PIPE, text=True)
address = next(json.loads(line)["address"] for line in served.stderr if "Ready: " in line)
for path in ("/", "/library", "/docs", "/api/v1/ask?q=Who+led+the+mission%3F"):
    with urllib.request.urlopen(address + path) as answer:
        assert answer.status == 200
served.send_signal(signal.SIGINT)
assert served.wait(60) == 0
"""

REACHED = re.compile(r"sa_family=(AF_\w+)[^}]*}")
HERE = re.compile(r'inet_addr\("127\.[0-9.]+"\)|inet_pton\(AF_INET6, "(::1|::ffff:127\.[0-9.]+)"')
NAME_SERVER = "htons(53)"


def test_every_way_out_is_closed() -> None:
    """Whoever tries is told so before anything leaves; this machine itself stays reachable."""
    ended = python(TRY)
    assert ended.returncode == 0, ended.stderr
    found = dict(re.findall(r'"([^"]+)": "([^"]+)"', ended.stdout))
    assert len(found) == 15
    assert set(found.values()) == {"AirGapped"}, found


def test_it_proves_that_it_holds() -> None:
    """A guard that refuses nothing is not taken for one."""
    deaf = "import sys; sys.addaudithook = lambda _: None"
    ended = python(f"{deaf}; from rag.runtime import airgap; airgap.close()")
    assert ended.returncode == 1
    assert "--airgap does not work here" in ended.stderr


def test_every_command_has_the_option() -> None:
    """Also those that are added one day."""
    commands = typer.main.get_command(app([])).commands  # type: ignore[attr-defined]
    assert len(commands) >= 11
    for name, command in commands.items():
        assert any("--airgap" in one.opts for one in command.params), name


def lacking() -> str | None:
    """What a namespace without a network needs and is not here."""
    for program in ("unshare", "ip", "strace"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    tried = subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True)
    return "this user may not make a network namespace" if tried.returncode else None


def test_nothing_is_reached_by_default(tmp_path: Path) -> None:
    """Indexing, asking and serving work where there is no network at all, and the system is asked
    for no connection but to this machine; not even by compiled code.
    """
    if reason := lacking():
        skip_unless_in_ci(reason)
    calls = tmp_path / "calls"
    traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", calls]
    ended = subprocess.run(
        [
            *("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
            *(*traced, "-e", "trace=connect,sendto,sendmsg,sendmmsg"),
            *(sys.executable, "-c", DRIVE, SEEDS, tmp_path / "library"),
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("RAG_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Princess Astrid" in ended.stdout
    seen = calls.read_text().splitlines()
    assert any(HERE.search(line) for line in seen)  # what is fetched from the server is seen here
    strangers = [line for line in seen if _leaves(line)]
    assert strangers == []


def _leaves(call: str) -> bool:
    """Whether a call of the system names another machine, or asks for a name."""
    reached = REACHED.search(call)
    if reached is None or reached[1] in {"AF_UNIX", "AF_NETLINK"}:
        return False
    return HERE.search(call) is None or NAME_SERVER in call
