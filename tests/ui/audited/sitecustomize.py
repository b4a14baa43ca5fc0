"""Loaded by Python before anything else where this folder is on its path: notes which names a
process looks up, where it connects, and which files it opens in the folder that the log lies in.
"""

from __future__ import annotations

import os
import sys

_NETWORK = {"socket.getaddrinfo", "socket.gethostbyname", "socket.connect"}
_FOLDER, _LOG = os.path.split(os.environ["AUDIT_LOG"])
_file = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in _NETWORK or (event == "open" and str(arguments[0]).startswith(_FOLDER)):
        os.write(_file, f"{event} {arguments}\n".encode())


sys.addaudithook(_note)
