"""Messages for refused requests."""

BEHIND_A_PROXY = (
    "This came through a reverse proxy, which this server knows nothing of: start it with "
    "--behind-proxy ADDRESS, the address from which the proxy asks"
)
MALFORMED = (
    "The headers of this request are malformed: send one Host, like 127.0.0.1:7860, one Origin or "
    "none, and a Content-Length or chunks, not both"
)
OTHER_NAME = (
    "This server does not answer to that name: start it with --allow-host NAME to have it do so"
)
NO_EVENT = (
    "A question, and each field that limits it, is plain text of up to {most:,} characters; "
    "nothing else can be sent"
)
TOO_LARGE = "More was sent than this server takes"
TOO_SLOW = "What was to be sent did not come in time"
TOO_OFTEN = "That was too often in a short time; try again in {seconds} s"
STOPPING = "The server is being stopped; try again in a moment"
OVERLOADED = "The server has as much to do as it can; try again in a moment"

WHO = "Log in first, or send a token: Authorization: Bearer TOKEN"
WRONG_TOKEN = "This token opens nothing here"  # noqa: S105 (a message, not a token)
WRONG = "The name or the password is wrong."
NOT_NOW = "Too many tries. The next one is possible in {wait}."
LOG_IN = "Log in"
LOG_IN_HELP = "This server asks who you are. Whoever runs it gave you a name and a password."
LOG_OUT = "Log out"
LOGGED_IN = "You are logged in as {name}"
READER = "You may ask and read everything here, and change nothing."
OWNER = "You may ask and read everything here, and change it."
NAME = "Name"
PASSWORD = "Password"  # noqa: S105 (a form label)
TO_PAGE = "Go on"
