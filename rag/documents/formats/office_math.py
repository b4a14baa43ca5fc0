"""Equations of Office (OMML) in linear form, such as ``(a+b)/(2c)`` and ``x^12``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.documents.office_zip import Element, attribute, child, children, short

_ATOM = re.compile(r"\d+(?:[.,]\d+)?|\w?|√\w")
_LEFT_OUT = frozenset({"w:del", "w:moveFrom"})


def linear(element: Element) -> str:
    """An equation, or a part of one, on a line."""
    tag = short(element.tag) if isinstance(element.tag, str) else ""
    if tag in _LEFT_OUT or tag.endswith("Pr"):
        return ""
    if tag in ("m:t", "w:t"):
        return element.text or ""
    return _FORMS.get(tag, _contents)(element)


def _contents(element: Element) -> str:
    return "".join(map(linear, element))


def _fraction(element: Element) -> str:
    is_binomial = _property(element, "m:fPr", "m:type", "bar") == "noBar"
    line = " over " if is_binomial else "/"
    return f"{_group(_part(element, 'm:num'))}{line}{_group(_part(element, 'm:den'))}"


def _scripts(element: Element) -> str:
    below, above = _group(_part(element, "m:sub")), _group(_part(element, "m:sup"))
    return (f"_{below}" if below else "") + (f"^{above}" if above else "")


def _scripted(element: Element) -> str:
    return _group(_part(element, "m:e")) + _scripts(element)


def _sum(element: Element) -> str:
    operator = _property(element, "m:naryPr", "m:chr", "∫")
    return f"{operator}{_scripts(element)} {_part(element, 'm:e')}"


def _root(element: Element) -> str:
    degree = _part(element, "m:deg")
    return (f"({degree})" if degree else "") + f"√{_group(_part(element, 'm:e'))}"


def _delimited(element: Element) -> str:
    inner = _property(element, "m:dPr", "m:sepChr", "|").join(_parts(element))
    opening = _property(element, "m:dPr", "m:begChr", "(")
    return f"{opening}{inner}{_property(element, 'm:dPr', 'm:endChr', ')')}"


def _parts(element: Element) -> Iterator[str]:
    return map(linear, children(element, "m:e"))


_FORMS: dict[str, Callable[[Element], str]] = {
    "m:f": _fraction,
    **dict.fromkeys(("m:sSup", "m:sSub", "m:sSubSup"), _scripted),
    "m:sPre": lambda one: f"{_scripts(one)} {_part(one, 'm:e')}",
    "m:nary": _sum,
    "m:rad": _root,
    "m:func": lambda one: f"{_part(one, 'm:fName')} {_part(one, 'm:e')}",
    "m:limLow": lambda one: f"{_part(one, 'm:e')}_{_group(_part(one, 'm:lim'))}",
    "m:limUpp": lambda one: f"{_part(one, 'm:e')}^{_group(_part(one, 'm:lim'))}",
    "m:d": _delimited,
    "m:mr": lambda one: ", ".join(_parts(one)),
    "m:m": lambda one: f"[{'; '.join(map(linear, children(one, 'm:mr')))}]",
    "m:eqArr": lambda one: "; ".join(_parts(one)),
}


def _part(element: Element, name: str) -> str:
    part = child(element, name)
    return "" if part is None else linear(part)


def _group(words: str) -> str:
    """In brackets, unless it is a number, a letter, or in brackets already."""
    is_group = words.startswith("(") and words.find(")") == len(words) - 1
    return words if is_group or _ATOM.fullmatch(words) else f"({words})"


def _property(element: Element, properties: str, name: str, otherwise: str) -> str:
    stated = attribute(child(element, properties, name), "m:val")
    return otherwise if stated is None else stated
