"""A server in a thread of this process: Gradio and the model may be there already."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import uvicorn

from rag import Library
from ui.security.policy import Access
from ui.server import serve

SECONDS = 60.0
"""How long a server may take to end."""


@contextmanager
def serving(library: Library, access: Access | None = None, port: int = 0) -> Iterator[str]:
    """Serve a library as ``rag serve`` does; gives the address once everything answers.

    At the end it is told to stop as Ctrl-C tells it. One starts after the other: Gradio builds one
    page at a time.
    """
    servers: list[uvicorn.Server] = []
    addresses: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Kept(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    def answer() -> None:
        try:
            serve(library, port=port, on_ready=addresses.put, access=access)
        finally:
            addresses.put("")  # where it never was ready

    thread = threading.Thread(target=answer, daemon=True)
    with patch.object(uvicorn, "Server", Kept):
        thread.start()
        address = addresses.get()
    assert address, "it ended before it was ready"
    try:
        yield address
    finally:
        servers[0].should_exit = True
        thread.join(SECONDS)
    assert not thread.is_alive()
