"""All English text of the search page, in one place."""

from __future__ import annotations

import datetime as dt
import re

TITLE = "Ask your documents"
PROMISE = "Every answer is a sentence from your own articles, word for word."
STARTING = "Starting: this takes some seconds. You can write your question already."
STARTED = "Ready: press Enter to ask."
LOADING = "The model is being loaded: the first answer takes some seconds."
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
NO_DATE_THIS = "“{text}” is no date; write it like 2025-03-05"
SEARCH = "Search"
NO_PAGE = "This document has no page {number}"
NO_NUMBER = "Pages have whole numbers, from 1"
NO_WIDTH = "The width of a page is a whole number of pixels"
NO_RANGE = "The offsets are two whole numbers, the first below the second"
ASKED = "Asked in this session"
FORGET = "Forget these"
NEWEST = "Newest articles"

NO_QUESTION = "Type a question first"
NO_QUESTION_HELP = "A whole question works best, the way you would ask a colleague."

EMPTY = "Nothing is indexed yet"
EMPTY_HELP = "Tell rag where your articles are, then reload this page:"
EMPTY_COMMAND = "rag index PATH"

NOTHING = "Nothing found"
NOTHING_HELP = "No passage has anything to do with this question. Other words may help."

NOTHING_LEFT = "No document is left that fits what you chose, or none with anything to find."

PROBLEM = "That did not work"
UNEXPECTED = (
    "Something went wrong while searching. The terminal that runs rag has the details; "
    "asking again may help."
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
PART_BEFORE = "Part before"
PART_AFTER = "Part after"
BEFORE = "Page before"
AFTER = "Page after"
PAGE_OF = "Page {page} of “{title}”, as it is printed"

MORE = "More around it"
LIKE = "Passages like it"
CITE = "Cite"
COPY = (("plain", "Plain"), ("markdown", "Markdown"), ("apa", "APA"), ("bibtex", "BibTeX"))
LINK = "Lasting link"
COPIED = "Copied"
NOT_COPIED = "That could not be copied"
NO_DATE = "n.d."
NOT_AS_PRINTED = "The printed page can't be shown: {reason}"
FOLLOWED = {
    "unchanged": "The sentence stands where it stood when it was cited.",
    "moved": "The document has changed since; the sentence was found again, word for word.",
    "changed": "The document has changed since; this is the sentence that comes nearest.",
}
GONE = "This sentence is gone"
GONE_HELP = "Neither it nor one like it is in the documents now. It began like this:"

NO_SUCH_HOST = "there is no address {host} on this machine; choose another: --host"
CANT_LISTEN = "cannot listen on {host}, port {port} ({reason}); choose another: --port"

GOOD = "This passage is right"
BAD = "This passage is wrong"
KEPT = "Kept in this library only"
TAKEN_BACK = "Taken back"
NOT_FROM_HERE = "Only this page itself may do that"
NOT_TO_RATE = "Only an owner can say that of a passage"
NO_LONGER_FOUND = "The library has changed: ask again"

OPEN = "Open the document"
WHY = "Why this passage"
PAGE = "page"
FILE_OF = "file of"
STRENGTH_HELP = "{word}: so good a passage answers the question with a probability of {percent}."
MEANING = "Meaning"
MEANING_HELP = "how close the best sentence here comes to your question"
WORDS = "Words"
WORDS_HELP = "which words of your question stand here, rare ones counting more"
TOKENS = "Word by word"
TOKENS_HELP = "how well each word of your question is met by one here"
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
DOCUMENTS_PATH_HELP = "A path begins at the root, like /home/ada/articles, or at ~"
DOCUMENTS_INDEX = "Index"
DOCUMENTS_DROP = "Or drop files anywhere on this page, or"
DOCUMENTS_CHOOSE = "choose files"
DOCUMENTS_DROP_HERE = "Let go to index"
DOCUMENTS_SENT = "Files that are sent"
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
DOCUMENTS_NONE_FIT = "No document fits that."
DOCUMENTS_ALL = "Show all"
DOCUMENTS_EMPTY = (
    "Name a folder above, or drop files here: the articles can be asked as soon as they are read."
)
DOCUMENTS_UNREAD = "Not read, or not all of it ({count:,})"
DOCUMENTS_UNREAD_MORE = "And {count:,} more: rag report lists them."
DOCUMENTS_STATUS = "Status"
DOCUMENTS_READ = "Read"
DOCUMENTS_DOUBTS = "With doubts"
DOCUMENTS_CHANGE = "Read again, remove"
DOCUMENTS_AGAIN_THIS = "Read “{title}” again"
DOCUMENTS_REMOVE = "Remove"
DOCUMENTS_REMOVE_THIS = "Remove “{title}”"
DOCUMENTS_REMOVE_HELP = "Its file isn't there any more, so it can't be brought back."
DOCUMENTS_UNDO = "Undo"
DOCUMENTS_KEEP = "Keep it"
DOCUMENTS_TOLD = {
    "silent": "The server does not answer; it is asked again in a moment.",
    "queued": "Waits for its turn.",
    "looking": "Looking for what there is to read.",
    "reading": "Reading and indexing.",
    "finishing": "Bringing the index up to date.",
    "cancelling": "Stopping …",
    "cancelled": "Cancelled. What was read by then stays, and can be found.",
    "failed": "That did not work: {trouble}.",
    "done": "Done: {counts}.",
    "nothing": "there was nothing to read",
    "counts": {
        "added": "{n} added",
        "updated": "{n} updated",
        "removed": "{n} removed",
        "unchanged": "{n} unchanged",
        "failed": "{n} could not be read",
        "skipped": "{n} of a kind that is not read",
    },
    "percent": "{n} %",
    "clock": "{minutes}:{seconds}",
    "numbers": "{done} of {files} files read, {encoded} of {passages} passages indexed",
    "reasons": "What could not be read, and why",
    "remove": "Remove “{title}” from the library?",
    "removed": "Removed “{title}”. Its file stays as it is.",
    "gone": "Removed “{title}”.",
    "restoring": "“{title}” is being brought back.",
    "again": "“{title}” is being read again.",
    "more": "{names} and {n} more",
    "sending": "Sending {n} of {files}.",
    "unsent": "{n} could not be sent.",
    "share": "{percent} %",
    "large": "It is larger than {most} GiB: name its path above instead.",
    "broken": "It could not be sent: it was moved, or the server does not answer.",
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


def file_name(source: str) -> str:
    """The last part of a path or URL: pages never show where a file is on this machine."""
    parts = [part for part in re.split(r"[\\/]", source) if part]
    return parts[-1] if parts else source


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
