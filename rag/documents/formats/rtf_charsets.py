"""Map RTF's numbers and names of character sets to Python codecs."""

CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    255: "cp437",
}
"""By ``\\fcharset`` number."""

ENCODINGS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""By the name of the file's character set."""

_CODEPAGES = {
    932: "cp932",
    936: "gbk",
    949: "cp949",
    950: "big5",
    10000: "mac_roman",
    65001: "utf-8",
}


def codepage(number: int) -> str:
    """Codec of a code page; Windows-1252 if there is none."""
    from encodings import aliases

    name = _CODEPAGES.get(number, f"cp{number}")
    return name if name in aliases.aliases.values() or number in _CODEPAGES else "cp1252"
