-- A library's truth. Everything else in its folder is derived from this file.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- AUTOINCREMENT: a key is never given twice, so an index that lags behind can't mistake a new
-- passage for an old one.
CREATE TABLE document (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    date TEXT,
    digest TEXT NOT NULL,
    metadata TEXT NOT NULL,  -- JSON object
    headings TEXT NOT NULL,  -- JSON [[start, end, level], …]
    pages TEXT NOT NULL,     -- JSON [[start, end], …]
    text TEXT NOT NULL
);

-- Where a document's content was found: several files may hold the same.
CREATE TABLE source (
    path TEXT PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES document (key),
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX source_document ON source (document);

CREATE TABLE passage (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES document (key) ON DELETE CASCADE,
    generation INTEGER NOT NULL,  -- that it came with
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    leading INTEGER NOT NULL,
    headings TEXT NOT NULL,       -- JSON [text, …]
    sentences BLOB NOT NULL,      -- int32 pairs (start, end) in the document's text
    text TEXT NOT NULL
);
CREATE INDEX passage_document ON passage (document);
CREATE INDEX passage_generation ON passage (generation);

-- Apart from its passage, so that reading passages doesn't wade through it; the bits last, so
-- that reading vectors doesn't wade through them.
CREATE TABLE encoding (
    passage INTEGER PRIMARY KEY REFERENCES passage (key) ON DELETE CASCADE,
    vectors BLOB NOT NULL,  -- float16, a row a sentence
    counts BLOB NOT NULL,   -- int32, tokens of each sentence
    pieces BLOB NOT NULL,   -- int32, word piece of each token
    bits BLOB NOT NULL      -- a row a token, a bit a dimension
);

-- Passages that are gone, for the indexes that still have them.
CREATE TABLE removed (
    passage INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,  -- that it went with
    sentences INTEGER NOT NULL
);
CREATE INDEX removed_generation ON removed (generation);

-- In how many passages each word piece occurs.
CREATE TABLE piece (
    id INTEGER PRIMARY KEY,
    passages INTEGER NOT NULL
);
