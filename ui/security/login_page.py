"""The login and logout pages. Pure, without scripts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ui import strings
from ui.security import messages
from ui.security.policy import LONGEST_NAME, LONGEST_PASSWORD
from ui.templates import render

if TYPE_CHECKING:
    from ui.security.principal import Principal


def asking(root: str, after: str, trouble: str = "", name: str = "") -> str:
    """The login page; ``after`` is the address to continue at.

    ``trouble`` is why the last attempt failed, and ``name`` the name that was entered.
    """
    return render(
        "login",
        root=root,
        texts=messages,
        heading=messages.LOG_IN,
        visitor=None,
        after=after,
        trouble=trouble,
        name=name,
        longest_name=LONGEST_NAME,
        longest_password=LONGEST_PASSWORD,
    )


def known(root: str, principal: Principal) -> str:
    """The page that shows who is logged in, with a logout button."""
    heading = messages.LOGGED_IN.format(name=principal.name)
    return render("login", root=root, texts=messages, heading=heading, visitor=principal)


def again(after: str) -> str:
    """A page that redirects to the same address from within this site.

    Browsers withhold a SameSite=Strict cookie when a link on another site leads here, and send it
    when one of ours does; so logged-in users arrive where the link led.
    """
    return render("redirect", to=after, texts=messages)


def wait(seconds: int) -> str:
    """Format a waiting time: “40 seconds”, “2 minutes”."""
    if seconds < 100:  # noqa: PLR2004 (up to about a minute and a half)
        return strings.count(seconds, "second")
    return strings.count(math.ceil(seconds / 60), "minute")
