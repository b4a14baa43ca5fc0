"""The control words of RTF that open a group with a purpose, or stand for a character."""

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
"""The characters that words stand for."""

SIGNS = {b"\\": "\\", b"{": "{", b"}": "}", b"~": " ", b"_": "-", b"\t": " "}
"""The characters that signs after a backslash stand for."""

ASIDE = frozenset({"footnote", "shptxt", "dptxbxtext"})
"""Words that begin a text beside the text: notes and boxes."""

NOTHING = "nothing"
"""Where the words of a group go that is left out, apart from groups in it with a purpose."""
NOWHERE = "nowhere"
"""Where the words of a group go that is left out with all that it holds."""

KEPT = {
    **{word: word for word in ("fonttbl", "stylesheet", "title", "author", "revtim", "creatim")},
    "listtext": "listtext",
    "pntext": "listtext",
    "info": NOTHING,
}
"""Where the words of other groups go, by the word that begins the group."""

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
"""Words that begin a group whose words go nowhere."""
