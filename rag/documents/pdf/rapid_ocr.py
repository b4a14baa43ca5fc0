"""OCR by RapidOCR, in a process of its own.

Its models are in its wheel; given their paths, it looks for nothing on the network. It takes 1.3 GB
of memory, whatever the picture, so its limit is not that of the file that is read, and it starts,
with the first picture, in a process that is kept for the next ones. It gets nothing but pixels.
"""

from __future__ import annotations

import atexit
import base64
import importlib.util
import logging
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.documents.pdf.page import Piece, Sheet
from rag.documents.whitespace import one_line
from rag.errors import LoadError

if TYPE_CHECKING:
    from rag.documents.sandbox.processes import Worker

MEMORY_BYTES = 3 << 30
"""Memory limit of the process, in bytes."""

_LONGEST_EDGE = 2000
"""In pixels: RapidOCR itself makes larger pictures smaller."""

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
_SIZE = 0.89
_BASE = 0.25
"""Font size, and how far the baseline is above the bottom, as shares of the height of a line's box:
medians of lines in a paper."""

_SURE = 0.5
"""Minimum confidence of a line, as RapidOCR has it by default."""
_SURE_OF_DIRECTION = 0.8
_SHARE = 0.5
"""A picture is upright if more than this share of its lines are wider than high and they are read
with more confidence than that; otherwise all directions are tried."""

_NOISE = 0.15
"""Heights depend on a line's letters: sizes that differ by no more than this share from that of
most lines are the same."""


def read(pixels: NDArray[np.uint8], dots: float, seconds: float) -> Sheet:
    """The lines in a picture, turned upright; ``dots`` are its pixels per point.

    Raises LoadError, worded to follow the page's number, if the process fails, or takes longer than
    ``seconds``.
    """
    from PIL import Image

    from rag.documents.sandbox.processes import WorkerDied

    height, width = pixels.shape
    scale = min(1.0, _LONGEST_EDGE / max(height, width))
    picture = Image.fromarray(pixels)
    if scale < 1:
        smaller = max(1, round(width * scale)), max(1, round(height * scale))
        picture = picture.resize(smaller, Image.Resampling.LANCZOS)
    engine = _engine()
    try:
        engine.start()
        encoded = base64.b64encode(picture.tobytes()).decode()
        answer = engine.ask({"pixels": encoded, "width": picture.width}, seconds)
    except WorkerDied as death:
        took = f"OCR took more than {seconds:.0f} s, not read"
        raise LoadError(took if death.is_late else "OCR failed, not read") from death
    except (OSError, RuntimeError) as error:
        raise LoadError(f"OCR can't be started ({error}), not read") from error
    if "failure" in answer:
        engine.end()  # it may lack memory
        raise LoadError(f"OCR failed ({answer['failure']}), not read")
    top = answer["height"] / (scale * dots)
    lines = [
        _piece(np.array(corners) / (scale * dots), one_line(text), top)
        for corners, text in answer["lines"]
    ]
    usual = median_low([line.size for line in lines] or [0.0])
    pieces = (
        replace(line, size=usual) if abs(line.size - usual) <= _NOISE * usual else line
        for line in lines
    )
    return Sheet(tuple(pieces), (), bottom=0.0, top=top)


def _piece(box: NDArray[np.float64], text: str, top: float) -> Piece:
    """A line, given the corners of its box, clockwise from the upper left and counted downwards
    from ``top``, all in points.
    """
    tall = float(np.linalg.norm(box[3] - box[0]) + np.linalg.norm(box[2] - box[1])) / 2
    bottom = float(box[2, 1] + box[3, 1]) / 2
    return Piece(
        text=text,
        left=float(box[:, 0].min()),
        right=float(box[:, 0].max()),
        base=top - bottom + _BASE * tall,
        size=_SIZE * tall,
        bold=False,
    )


@cache
def _engine() -> Worker:
    from rag.documents.sandbox.processes import Worker

    engine = Worker((sys.executable, "-m", __name__))
    atexit.register(engine.end)
    return engine


def main() -> None:
    """Serve requests until standard input closes::

    ← {"ready": true}
    → {"pixels": …, "width": …}                grey, in base 64
    ← {"lines": [[[[x, y], …], text], …], "height": …} or {"failure": reason}
    """
    from rag.documents.sandbox.processes import receive, send
    from rag.documents.sandbox.worker import limit_memory, memory_in_use, worker_streams

    requests, answers = worker_streams()
    limit_memory(memory_in_use() + MEMORY_BYTES)
    recognise = _load()
    send(answers, {"ready": True})
    while request := receive(requests):
        grey = np.frombuffer(base64.b64decode(request["pixels"]), np.uint8)
        grey = grey.reshape(-1, request["width"])
        try:
            answer = _upright(recognise, np.repeat(grey[:, :, np.newaxis], 3, axis=2))
        except Exception as error:  # noqa: BLE001 (whatever it is, the next picture may be read)
            answer = {"failure": f"{type(error).__name__}: {str(error)[:200]}"}
        send(answers, answer)


def _upright(recognise: Any, picture: NDArray[np.uint8]) -> dict[str, object]:  # noqa: ANN401
    """The lines of a picture, and its height, in the direction in which they are read best.

    RapidOCR's own classifier of lines turns some upside down that are upright.
    """
    best: tuple[float, dict[str, object]] = -1.0, {"lines": [], "height": len(picture)}
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(picture, turns))
        found = recognise(turned)
        if found.boxes is None or not found.txts:
            break
        edges = np.ptp(np.asarray(found.boxes), axis=1)
        are_lines = bool((edges[:, 0] > edges[:, 1]).mean() > _SHARE)
        confidence = float(np.average(found.scores, weights=[len(one) for one in found.txts]))
        if confidence * are_lines > best[0]:
            every = zip(np.asarray(found.boxes).tolist(), found.txts, found.scores, strict=True)
            lines = [(box, text) for box, text, score in every if score >= _SURE]
            best = confidence * are_lines, {"lines": lines, "height": len(turned)}
        if best[0] > _SURE_OF_DIRECTION:
            break
    return best[1]


def _load() -> Any:  # noqa: ANN401 (rapidocr has no types)
    # As in rag.models.openvino_bert: openvino works without what reports its use.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import rapidocr

    runner = "OPENVINO" if importlib.util.find_spec("openvino") else "ONNXRUNTIME"
    models = Path(rapidocr.__file__).parent / "models"
    options: dict[str, object] = {
        "Global.log_level": "critical",
        "Global.text_score": 0.0,
        "Global.use_cls": False,
    }
    for part, name in _MODELS.items():
        options[f"{part}.engine_type"] = rapidocr.EngineType[runner]
        options[f"{part}.model_path"] = str(models / name)
    if runner == "OPENVINO":
        from rapidocr.inference_engine.openvino.main import CPUConfig

        # No option of RapidOCR. By default a program is kept for each size of line that was seen,
        # and memory grows by 100 MB a page.
        usual = CPUConfig.get_config
        CPUConfig.get_config = lambda it: usual(it) | {"CPU_RUNTIME_CACHE_CAPACITY": "0"}
    # Several pictures are read at a time, each in its own process.
    options["EngineConfig.openvino.inference_num_threads"] = 1
    options["EngineConfig.onnxruntime.intra_op_num_threads"] = 1
    logging.disable()
    return rapidocr.RapidOCR(params=options)


if __name__ == "__main__":
    main()
