"""HTML in one form, so that a test compares what it says and not how a template is laid out."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser


def normalized(html: str) -> str:
    """The same elements, attributes and texts, without the white space between elements on lines of
    their own; quotes are escaped in attributes and texts alike.
    """
    return _Writer(html).written


class _Writer(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.written = ""
        self.feed(html)
        self.close()

    def handle_decl(self, decl: str) -> None:
        self.written += f"<!{decl}>"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = (name if value is None else f'{name}="{escape(value)}"' for name, value in attrs)
        self.written += f"<{' '.join((tag, *given))}>"

    def handle_endtag(self, tag: str) -> None:
        self.written += f"</{tag}>"

    def handle_data(self, data: str) -> None:
        if data.strip() or "\n" not in data:
            self.written += escape(data)
