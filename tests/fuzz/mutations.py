"""Changes to XML that leave it well-formed, so that they reach what reads it."""

from __future__ import annotations

import copy
import random

from lxml import etree
from small_files import TRAPS

_VALUES = ("", "0", "-1", "1", "9", "99999999999", "1e9", "nan", "true", "../../x", "a b", "\u0665")
_MOST_COPIES = 40


def mutated_xml(data: bytes, chance: random.Random) -> bytes:
    """The same with one to four changes; as it is where it is no XML."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return data
    for _ in range(chance.randint(1, 4)):
        _change(root, chance)
    made: bytes = etree.tostring(root)
    return made


def _change(root: etree._Element, chance: random.Random) -> None:
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    one, other = chance.choice(elements), chance.choice(elements)
    what = chance.randrange(8)
    if what == 0:
        one.text = _words(chance)
    elif what == 1:
        one.tail = _words(chance)
    elif what == 2:
        one.tag = other.tag
    elif what == 3 and one.getparent() is not None:
        one.getparent().remove(one)
    elif what == 4 and one.attrib:
        name = chance.choice([*one.attrib])
        one.attrib[name] = chance.choice([*_VALUES, *other.attrib.values()])
    elif what == 5 and other.attrib:
        name = chance.choice([*other.attrib])
        one.attrib[name] = other.attrib[name]
    elif what == 6:
        one.append(copy.deepcopy(other))
    elif what == 7 and one.getparent() is not None:
        for _ in range(chance.choice((1, 2, _MOST_COPIES))):
            one.addnext(copy.deepcopy(one))


def _words(chance: random.Random) -> str:
    words = chance.choice((*TRAPS, "", "a", "1", "word " * 60))
    return "".join(
        c
        for c in words
        if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
