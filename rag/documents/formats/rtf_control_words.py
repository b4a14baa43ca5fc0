"""RTF control words that set a group's destination or stand for a character."""

from __future__ import annotations

CHARACTERS = {
    "tab": " ",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "line": "\n",
    "page": "\n",
    "column": "\n",
    "emdash": "—",
    "endash": "\u2013",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
}
"""Characters by control word."""

SIGNS = {b"\\": "\\", b"{": "{", b"}": "}", b"~": " ", b"_": "-", b"\t": " "}
"""Characters by control symbol."""

ASIDE = frozenset({"footnote", "shptxt", "dptxbxtext"})
"""Destinations outside the running text: notes and boxes."""

NOTHING = "nothing"
"""Destination whose own text is dropped, but not that of nested destinations."""
NOWHERE = "nowhere"
"""Destination dropped with everything nested in it."""

KEPT = {
    **{word: word for word in ("fonttbl", "stylesheet", "title", "author", "revtim", "creatim")},
    "listtext": "listtext",
    "pntext": "listtext",
    "info": NOTHING,
}
"""Destinations by the control word that begins the group."""

OUT_OF_SIGHT = frozenset(
    {
        *("colortbl", "pict", "header", "headerl", "headerr", "headerf", "footer", "footerl"),
        *("footerr", "footerf", "xe", "tc", "rxe", "listtable", "listoverridetable"),
        *("themedata", "datastore", "fldinst", "annotation", "atnid", "atnauthor", "shprslt"),
        *("revtbl", "filetbl", "objdata", "objclass", "sp", "template", "generator", "pn"),
        *("nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn"),
        *("bkmkstart", "bkmkend", "subject", "keywords", "doccomm", "operator", "company"),
    }
)
"""Destinations to drop entirely."""
