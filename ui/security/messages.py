"""Messages for refused requests, and the texts of the login page."""

BEHIND_A_PROXY = (
    "This request came through a reverse proxy that the server doesn't know: start it with "
    "--behind-proxy ADDRESS, the proxy's own address"
)
MALFORMED = (
    "The headers of this request are malformed: send one Host, like 127.0.0.1:7860, one Origin or "
    "none, and a Content-Length or chunks, not both"
)
OTHER_NAME = (
    "This server does not answer to that host name; to allow it, start the server with "
    "--allow-host NAME"
)
NO_EVENT = (
    "A question and its filters are plain text of up to {most:,} characters each; nothing else is "
    "accepted"
)
TOO_LARGE = "The request is larger than this server accepts"
TOO_SLOW = "The request did not arrive in time"
TOO_OFTEN = "Too many requests in a short time; try again in {seconds} s"
STOPPING = "The server is shutting down; try again in a moment"
NOT_COLLECTED = "Too many answers are waiting to be collected; collect them first"
OVERLOADED = "The server is busy; try again in a moment"

WHO = "Log in first, or send a token: Authorization: Bearer TOKEN"
WRONG_TOKEN = "This token is not valid here"  # noqa: S105 (a message, not a token)
WRONG = "The name or the password is wrong."
NOT_NOW = "Too many attempts. Try again in {wait}."
LOG_IN = "Log in"
LOG_IN_HELP = "Use the name and password that you were given for this server."
LOG_OUT = "Log out"
LOGGED_IN = "You are logged in as {name}"
READER = "You may search and read everything here, but not change anything."
OWNER = "You may search, read and change everything here."
NAME = "Name"
PASSWORD = "Password"  # noqa: S105 (a form label)
TO_PAGE = "Continue"
