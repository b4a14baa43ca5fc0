"""Text as every loader hands it over: one kind of line end, one kind of blank, no debris."""

from __future__ import annotations

import re

from rag.text.unicode import plain

_GAP = re.compile(r"\n{3,}")


def tidy(text: str) -> str:
    """The text in the form that a document's text has; tidying it again changes nothing.

    Lines end with a line feed and without blanks. One empty line stands between paragraphs,
    and none at either end. Controls (tab apart), lone surrogates, byte order marks and soft
    hyphens are gone; hard blanks are plain ones; the rest is in Unicode's form NFC.
    """
    return without_debris(text).strip()


def one_line(text: str) -> str:
    """The tidied text, every run of blanks and line ends in it made a single blank."""
    return " ".join(without_debris(text).split())


def without_debris(text: str) -> str:
    """What ``tidy`` does, apart from both ends of the text."""
    text = "\n".join(line.rstrip() for line in plain(text).split("\n"))
    return _GAP.sub("\n\n", text)
