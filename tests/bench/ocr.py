"""Words that each engine for OCR gets wrong, and its seconds per page.

python tests/bench/ocr.py FOLDER [--pages 20] takes pages of the PDFs in FOLDER, spread over them,
as scans (150 dots to the inch, a little askew, grey noise) and as photos (in perspective, unevenly
lit, blurred, JPEG). What rag reads from the PDF itself is the truth.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from pypdfium2 import PdfDocument
from rapidfuzz.distance import Levenshtein

from rag.documents.formats.picture import Pictures, load_picture
from rag.documents.pdf.loader import load_pdf
from rag.documents.pdf.ocr import RAPID

_WORD = re.compile(r"\w+")
_LEAST_WORDS = 300
"""Minimum number of words on a page of text."""


def pages(folder: Path, count: int) -> Iterator[tuple[PdfDocument, int, list[str]]]:
    """Pages of text: of each file one, then of each another, until there are enough."""
    texts = {}
    for path in sorted(folder.glob("*.pdf")):
        (loaded, *_) = load_pdf(path.read_bytes())
        texts[path] = [_WORD.findall(page.of(loaded.text).lower()) for page in loaded.pages]
    found = 0
    for number in range(1, 100):
        for path, of_pages in texts.items():
            if number < len(of_pages) and len(of_pages[number]) >= _LEAST_WORDS and found < count:
                found += 1
                yield PdfDocument(path), number, of_pages[number]


def scan(page: Image.Image, chance: random.Random) -> bytes:
    """A page of 150 dots to the inch as an office scanner gives it."""
    askew = page.rotate(chance.uniform(-1, 1), Image.Resampling.BICUBIC, fillcolor=255)
    return _saved(_noisy(np.asarray(askew, np.float32), 8, chance), "PNG", dpi=(150, 150))


def photo(page: Image.Image, chance: random.Random) -> bytes:
    """A page of 220 dots to the inch as it is photographed by hand."""
    width, height = page.size
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    seen = [
        (x + chance.uniform(-0.05, 0.05) * width, y + chance.uniform(-0.05, 0.05) * height)
        for x, y in corners
    ]
    rows = []
    for (x, y), (u, v) in zip(corners, seen, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    warp = np.linalg.solve(np.array(rows), np.array(seen).reshape(-1))
    kind, smooth = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    bent = page.transform(page.size, kind, warp.tolist(), smooth, fillcolor=90)
    bent = bent.filter(ImageFilter.GaussianBlur(0.8))
    light = np.outer(np.linspace(1, 0.6, height), np.linspace(0.75, 1, width))
    return _saved(_noisy(np.asarray(bent, np.float32) * light, 5, chance), "JPEG", quality=80)


def _noisy(grey: np.ndarray, sigma: float, chance: random.Random) -> Image.Image:
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, sigma, grey.shape)
    return Image.fromarray((grey + noise).clip(0, 255).astype(np.uint8))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--ocr", nargs="+", default=["eng", RAPID])
    asked = parser.parse_args()
    chosen = list(pages(asked.folder, asked.pages))
    print("| | engine | word error rate | words missing | seconds per page |")
    print("|---|---|--:|--:|--:|")
    for kind, make, dots in (("scans", scan, 150), ("photos", photo, 220)):
        for ocr in asked.ocr:
            chance = random.Random(7)  # noqa: S311 (the same pictures each time)
            wrong = missing = total = 0
            seconds = []
            for pdf, number, truth in chosen:
                data = make(pdf[number].render(scale=dots / 72, grayscale=True).to_pil(), chance)
                began = time.monotonic()
                found = load_picture(data, pictures=Pictures(ocr))
                text = " ".join(one.text for one in found).lower()
                seconds.append(time.monotonic() - began)
                read = _WORD.findall(text)
                wrong += Levenshtein.distance(truth, read)
                missing += (Counter(truth) - Counter(read)).total()
                total += len(truth)
            middle = sorted(seconds)[len(seconds) // 2]
            shares = f"{wrong / total:.1%} | {missing / total:.1%}"
            print(f"| {kind} | {ocr} | {shares} | {middle:.1f} |", flush=True)


if __name__ == "__main__":
    main()
