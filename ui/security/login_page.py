"""The login and logout pages. Pure, without scripts."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from ui import strings
from ui.pages import reader
from ui.security import messages as told
from ui.security.policy import LONGEST_NAME, LONGEST_PASSWORD

if TYPE_CHECKING:
    from ui.security.principal import Principal

# Under “no-referrer” browsers send no origin with a form, and it would be refused.
_HEAD = '<meta name="referrer" content="same-origin">'


def asking(root: str, after: str, trouble: str = "", name: str = "") -> str:
    """The login page; ``after`` is the address to continue at.

    ``trouble`` is why the last attempt failed, and ``name`` the name that was entered.
    """
    said = f'<p class="said trouble" role="alert">{escape(trouble)}</p>' if trouble else ""
    return _page(
        told.LOG_IN,
        root,
        f"<p>{told.LOG_IN_HELP}</p>{said}"
        f'<form id="login" method="post" action="{escape(root)}login">'
        f'<input type="hidden" name="after" value="{escape(after)}">'
        f'<label>{told.NAME}<input name="name" required maxlength="{LONGEST_NAME}"'
        f' value="{escape(name)}" autocomplete="username" autocapitalize="off"'
        f' spellcheck="false"{"" if name else " autofocus"}></label>'
        f'<label>{told.PASSWORD}<input name="password" type="password" required'
        f' maxlength="{LONGEST_PASSWORD}" autocomplete="current-password"'
        f"{' autofocus' if name else ''}></label>"
        f'<button type="submit">{told.LOG_IN}</button></form>',
    )


def known(root: str, principal: Principal) -> str:
    """The page that shows who is logged in, with a logout button."""
    may = told.OWNER if principal.may_change else told.READER
    return _page(
        told.LOGGED_IN.format(name=principal.name),
        root,
        f'<p>{may}</p><form id="login" method="post" action="{escape(root)}logout">'
        f'<button type="submit">{told.LOG_OUT}</button></form>'
        f'<p><a class="back" href="{escape(root)}">{told.TO_PAGE}</a></p>',
    )


def again(after: str) -> str:
    """A page that redirects to the same address from within this site.

    Browsers withhold a SameSite=Strict cookie when a link on another site leads here, and send it
    when one of ours does; so logged-in users arrive where the link led.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="0;url={escape(after)}">'
        f"<title>{strings.TITLE}</title></head>"
        f'<body><a href="{escape(after)}">{told.TO_PAGE}</a></body></html>'
    )


def wait(seconds: int) -> str:
    """Format a waiting time: “40 seconds”, “2 minutes”."""
    if seconds < 100:  # noqa: PLR2004 (up to about a minute and a half)
        return strings.count(seconds, "second")
    return strings.count(math.ceil(seconds / 60), "minute")


def _page(heading: str, root: str, body: str) -> str:
    return reader.shell(
        heading,
        f'<div class="library login"><header class="masthead"><h1>{escape(heading)}</h1></header>'
        f"{body}</div>",
        root,
        head=_HEAD,
    )
