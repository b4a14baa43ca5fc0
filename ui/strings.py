"""All English text of the search page, in one place."""

from __future__ import annotations

import datetime as dt

TITLE = "Ask your documents"
PROMISE = "Every answer is a sentence from your own articles, word for word."
STARTING = "Starting: this takes a few seconds. You can already type your question."
STARTED = "Ready: press Enter to ask."
LOADING = "The model is loading: the first answer takes a few seconds."
PRIVATE = "Works offline. Nothing you ask is sent to any other service."

QUESTION = "Your question"
PLACEHOLDER = "Ask a question"
INSTEAD = "Search instead for"
NARROW = "Look only in some documents"
SINCE = "From"
UNTIL = "Until"
SOURCE = "File or folder"
TYPE = "Type"
LANGUAGE = "Language"
COLLECTIONS = "Collections"
ANY = "any"
COUNTED = "{name} ({count:,})"
NO_DATE_THIS = "“{text}” is not a date; write it like 2025-03-05"
SEARCH = "Search"
NO_PAGE = "This document has no page {number}"
NO_NUMBER = "Page numbers are whole numbers from 1"
NO_WIDTH = "The width of a page must be a whole number of pixels"
NO_RANGE = "The offsets must be two whole numbers, the first less than the second"
ASKED = "Asked in this session"
FORGET = "Forget these"
NEWEST = "Newest articles"

NO_QUESTION = "Type a question first"
NO_QUESTION_HELP = "A whole question works best, the way you would ask a colleague."

EMPTY = "Nothing is indexed yet"
EMPTY_HELP = "Tell rag where your articles are, then reload this page:"
EMPTY_COMMAND = "rag index PATH"

NOTHING = "Nothing found"
NOTHING_HELP = "No passage is related to this question. Try other words."

NOTHING_LEFT = "No document matches these filters, or none that does has anything to find."

PROBLEM = "That did not work"
UNEXPECTED = (
    "Something went wrong while searching. The terminal that runs rag has the details; "
    "try asking again."
)

MISSING = "There is no such page"
MISSING_HELP = "The address may be wrong, or the article has changed since it was found."
TO_SEARCH = "Go to the search"
BACK = "Back to the results"
TO_PASSAGE = "Go to the passage"

READING = "Reading"
AS_TEXT = "As text"
AS_PRINTED = "As printed"
ORIGINAL = "Original file"
ALONE = "On its own"
DOCUMENT = "Document"
CLOSE = "Close the document"
FIND = "Find in the text"
PART = "Part {number} of {count}"
PART_BEFORE = "Previous part"
PART_AFTER = "Next part"
BEFORE = "Previous page"
AFTER = "Next page"
PAGE_OF = "Page {page} of “{title}”, as it is printed"

MORE = "More context"
LIKE = "Similar passages"
CITE = "Cite"
COPY = (("plain", "Plain"), ("markdown", "Markdown"), ("apa", "APA"), ("bibtex", "BibTeX"))
LINK = "Permalink"
COPIED = "Copied"
NOT_COPIED = "That could not be copied"
NO_DATE = "n.d."
NOT_AS_PRINTED = "The printed page can't be shown: {reason}"
FOLLOWED = {
    "unchanged": "The sentence is where it was when it was cited.",
    "moved": "The document has changed since; the sentence was found again, word for word.",
    "changed": "The document has changed since; this is the closest sentence.",
}
GONE = "This sentence is gone"
GONE_HELP = "Neither it nor one like it is in the documents now. It began like this:"

NO_SUCH_HOST = "there is no address {host} on this machine; choose another: --host"
CANT_LISTEN = "cannot listen on {host}, port {port} ({reason}); choose another: --port"

GOOD = "This passage is right"
BAD = "This passage is wrong"
KEPT = "Stored in this library only"
TAKEN_BACK = "Rating removed"
NOT_FROM_HERE = "Only this page itself may do that"
NOT_TO_RATE = "Only an owner can rate passages"
NO_LONGER_FOUND = "The library has changed: ask again"

OPEN = "Open the document"
WHY = "Why this passage"
PAGE = "page"
FILE_OF = "file of"
STRENGTH_HELP = "{word}: a passage this good answers the question with a probability of {percent}."
MEANING = "Meaning"
MEANING_HELP = "how close the best sentence here is to your question"
WORDS = "Words"
WORDS_HELP = "which words of your question occur here; rare ones count more"
TOKENS = "Word by word"
TOKENS_HELP = "how close a word here comes to each word of your question"
MATCHED = "Words found"

EXAMPLES = (
    "What is said about {}?",
    "What do we learn about {}?",
    "What is there to know about {}?",
)
"""Templates for questions about a name, used in turn."""

EXAMPLE_TITLED = "What is “{}” about?"
"""The question for an article in which no name was found."""

STRONG = "strong match"
FAIR = "fair match"
WEAK = "weak match"
NOT_ANSWERED = (
    "This is probably not in your documents (confidence {percent}). The nearest passages:"
)
"""Shown instead of the number of passages when none of them is likely to answer."""

DOCUMENTS = "Documents"
DOCUMENTS_ADD = "Index a folder or file on this machine"
DOCUMENTS_PATH = "/home/ada/articles"
DOCUMENTS_PATH_HELP = "An absolute path, like /home/ada/articles, or one that begins with ~"
DOCUMENTS_INDEX = "Index"
DOCUMENTS_DROP = "Or drop files anywhere on this page, or"
DOCUMENTS_CHOOSE = "choose files"
DOCUMENTS_DROP_HERE = "Drop to index"
DOCUMENTS_SENT = "Files being uploaded"
DOCUMENTS_STOP = "Stop"
DOCUMENTS_CANCEL = "Cancel"
DOCUMENTS_PROGRESS = "Progress"
DOCUMENTS_NO_SCRIPT = (
    "Indexing and removing on this page need JavaScript. In a terminal: rag index PATH, "
    "rag remove PATH."
)
DOCUMENTS_READ_ONLY = (
    "This server answers other machines, too, so only an owner can index or remove something "
    "here. On its own machine, rag index PATH and rag remove PATH do that."
)
DOCUMENTS_TITLED = "Words in the title"
DOCUMENTS_SHOW = "Show"
DOCUMENTS_TITLE = "Title"
DOCUMENTS_FILE = "File"
DOCUMENTS_DATE = "Date"
DOCUMENTS_PAGES = "Pages"
DOCUMENTS_PASSAGES = "Passages"
DOCUMENTS_OF = "{first:,} to {last:,} of {documents}"
DOCUMENTS_PAGE = "{page:,} / {last:,}"
DOCUMENTS_NONE_FIT = "No document matches."
DOCUMENTS_ALL = "Show all"
DOCUMENTS_EMPTY = (
    "Enter a folder above, or drop files here: you can ask as soon as they are indexed."
)
DOCUMENTS_UNREAD = "Not read, or only in part ({count:,})"
DOCUMENTS_UNREAD_MORE = "And {count:,} more: rag report lists them."
DOCUMENTS_STATUS = "Status"
DOCUMENTS_READ = "Read"
DOCUMENTS_DOUBTS = "With warnings"
DOCUMENTS_CHANGE = "Read again, remove"
DOCUMENTS_AGAIN_THIS = "Read “{title}” again"
DOCUMENTS_REMOVE = "Remove"
DOCUMENTS_REMOVE_THIS = "Remove “{title}”"
DOCUMENTS_REMOVE_HELP = "Its file no longer exists, so this can't be undone."
DOCUMENTS_UNDO = "Undo"
DOCUMENTS_KEEP = "Keep it"
DOCUMENTS_TOLD = {
    "silent": "The server does not answer; retrying in a moment.",
    "queued": "Waiting for its turn.",
    "looking": "Looking for files.",
    "reading": "Reading and indexing.",
    "finishing": "Bringing the index up to date.",
    "cancelling": "Stopping …",
    "cancelled": "Cancelled. What was indexed by then stays.",
    "failed": "That did not work: {trouble}.",
    "done": "Done: {counts}.",
    "nothing": "there was nothing to read",
    "counts": {
        "added": "{n} added",
        "updated": "{n} updated",
        "removed": "{n} removed",
        "unchanged": "{n} unchanged",
        "failed": "{n} could not be read",
        "skipped": "{n} of an unsupported type",
    },
    "percent": "{n} %",
    "clock": "{minutes}:{seconds}",
    "numbers": "{done} of {files} files read, {encoded} of {passages} passages indexed",
    "reasons": "What could not be read, and why",
    "remove": "Remove “{title}” from the library?",
    "removed": "Removed “{title}”. Its file stays as it is.",
    "gone": "Removed “{title}”.",
    "restoring": "“{title}” is being restored.",
    "again": "“{title}” is being read again.",
    "more": "{names} and {n} more",
    "sending": "Uploading {n} of {files}.",
    "unsent": "{n} could not be uploaded.",
    "share": "{percent} %",
    "large": "It is larger than {most} GiB: enter its path above instead.",
    "broken": "It could not be uploaded: it was moved, or the server does not answer.",
}
"""The texts of ``library.js``, which fills in the names in braces."""

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def day(date: dt.date) -> str:
    """Format a date regardless of locale: ``5 March 2025``."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def sentence(line: str) -> str:
    """Turn an error message into a full sentence."""
    whole = line[:1].upper() + line[1:]
    return whole if whole.endswith((".", "!", "?", "”")) else f"{whole}."


def count(number: int, thing: str) -> str:
    """Format a count: ``1 article``, ``1,216 articles``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def percent(share: float) -> str:
    """Format a probability: ``87 %``; never 0 % or 100 %."""
    if share < 0.01:  # noqa: PLR2004
        return "below 1 %"
    return "above 99 %" if share > 0.99 else f"{round(100 * share)} %"  # noqa: PLR2004


def found_in(number: int) -> str:
    """Format the number of matches in a text."""
    if number == 0:
        return "Not in this text."
    return "Once in this text." if number == 1 else f"{number:,} times in this text."


def ordinal(rank: int) -> str:
    """Format an ordinal: ``1st``, ``12th``, ``23rd``."""
    teen = rank % 100 in (11, 12, 13)
    return f"{rank}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th')}"


def rank(place: int | None, by: str) -> str:
    """Say where one of the two indexes ranked a passage."""
    return f"{ordinal(place)} of all passages by {by}" if place else f"not among the best by {by}"


def also(number: int) -> str:
    """Say in how many other files the same passage occurs; their names follow."""
    return f"The same passage in {'one other file' if number == 1 else f'{number:,} other files'}"


def found(number: int) -> str:
    """The line above the results."""
    if number == 1:
        return "One passage found."
    return f"{number} passages found, best first."
