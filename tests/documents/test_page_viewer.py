"""The process that draws pages: as long as it is wanted, and no longer."""

from __future__ import annotations

import hashlib
import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pdf_files import WHOLE, made
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

import rag.documents.sandbox.page_viewer
from rag import InputError, LoadError
from rag.documents.sandbox import processes
from rag.documents.sandbox.page_viewer import PageViewer

NEVER = """
import time
from rag.documents.sandbox.processes import receive, send
from rag.documents.sandbox.worker import worker_streams

requests, answers = worker_streams()
send(answers, {"ready": True})
receive(requests)
time.sleep(1000)
"""


def test_filled_form(tmp_path: Path) -> None:
    """What somebody filled into a form is on the picture, too; another file is not shown."""

    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(value="Filled", x=100, y=600, width=200, height=40, fontSize=30)

    content = made(draw)
    (tmp_path / "form.pdf").write_bytes(content)
    with closing(PageViewer()) as viewer:
        digest = hashlib.sha256(content).hexdigest()
        image = viewer.image(tmp_path / "form.pdf", digest, 0, 595)
        with pytest.raises(LoadError, match="no longer the file that was indexed"):
            viewer.image(tmp_path / "form.pdf", "0" * 64, 0, 595)
    field = Image.open(io.BytesIO(image.png)).convert("L").crop((105, 205, 295, 235))
    assert field.getextrema()[0] < 60


def test_closed(tmp_path: Path) -> None:
    """Afterwards no process is started any more."""
    viewer = PageViewer()
    viewer.close()
    with pytest.raises(InputError, match="the server is stopping"):
        viewer.image(tmp_path / "a.pdf", "", 0, 300)
    assert viewer._worker.process is None


def test_closed_while_it_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that takes for ever keeps no server from stopping."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", NEVER))
    (tmp_path / "a.pdf").write_bytes(WHOLE)
    viewer = PageViewer()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(viewer.image, tmp_path / "a.pdf", "", 0, 300)
        while viewer._worker.process is None:
            time.sleep(0.01)
        time.sleep(0.5)
        began = time.monotonic()
        viewer.close()
        assert time.monotonic() - began < rag.documents.sandbox.page_viewer.SECONDS / 2
        with pytest.raises((LoadError, RuntimeError), match="crashed"):
            asked.result()


@pytest.mark.parametrize(("command", "error"), [("false", RuntimeError), ("none", OSError)])
def test_process_that_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, error: type[Exception]
) -> None:
    """That is no fault of the file: it is raised, every time."""
    monkeypatch.setattr(processes, "COMMAND", (command,))
    viewer = PageViewer()
    for _ in range(2):
        with pytest.raises(error):
            viewer.image(tmp_path / "a.pdf", "", 0, 300)
    viewer.close()
