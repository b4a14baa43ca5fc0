"""All English text of the page that lists the libraries."""

from __future__ import annotations

LIBRARIES = "Libraries"
ABOUT = "Each library is asked by itself. Choose one, or begin another."
NEW = "New library"
NEW_NAME = "What it is about"
CREATE = "Create"
NAME = "Name"
NEWEST = "Newest"
CHANGE = "Rename"
RENAME = "Rename"
RENAME_THIS = "Rename “{name}”"
NEW_NAME_OF = "New name of “{name}”"
EMPTY = "There is no library yet"
EMPTY_HELP = "Give one a name above; then open it, and drop your articles there."
READ_ONLY = (
    "This server answers other machines, too, so only an owner can create or rename a library "
    "here. On its own machine, libraries are folders: make or rename one there."
)
TOO_LONG = "That is too long for a name"
CANT_OPEN = "It can't be opened: {reason}"
NO_SUCH = "There is no library “{name}” here"
NO_SUCH_HELP = "It may have another name now. All that there are stand on the shelf."
RENAMED = "The library “{name}” is called “{to}” now"
RENAMED_HELP = "Old addresses lead nowhere: go on from the shelf."
TO_SHELF = "Go to the libraries"
BUSY = (
    "documents are being indexed in “{name}”, or files are being sent to it; rename it when that "
    "is done"
)
CLOSING = "The library is being renamed; ask again in a moment, at its new address"
UNEXPECTED = "The library could not be opened. The terminal that runs rag has the details"
