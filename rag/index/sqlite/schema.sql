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
    page_labels TEXT NOT NULL,  -- JSON [label, …], as many as pages or none
    warnings TEXT NOT NULL,     -- JSON [line, …]
    text TEXT NOT NULL,
    language TEXT,              -- as in the metadata
    checksum INTEGER NOT NULL   -- of what stands above, but the key and the language
);
CREATE INDEX document_date ON document (date);
CREATE INDEX document_language ON document (language);

-- A file as it was when it was last read, and what came of it.
CREATE TABLE file (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    reader TEXT NOT NULL,    -- what read it: its number, and the languages of OCR, if it was used
    failures TEXT NOT NULL,  -- JSON [[source, reason, kind], …]: what of it could not be read
    seconds REAL NOT NULL    -- that reading took
) WITHOUT ROWID;
CREATE INDEX file_digest ON file (digest);

-- Where a document's content was found: a file, or a place in one ("letters.zip/may.txt").
-- Several places may hold the same.
CREATE TABLE source (
    path TEXT PRIMARY KEY,
    file TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document (key)
) WITHOUT ROWID;
CREATE INDEX source_document ON source (document);
CREATE INDEX source_file ON source (file);

CREATE TABLE passage (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES document (key) ON DELETE CASCADE,
    generation INTEGER NOT NULL,  -- that it came with
    content INTEGER NOT NULL,     -- hash of all that its encoding depends on
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    pages TEXT NOT NULL,          -- JSON [[number, label, start], …]
    leading INTEGER NOT NULL,
    headings TEXT NOT NULL,       -- JSON [text, …]
    sentences BLOB NOT NULL,      -- int32 pairs (start, end) in the document's text
    text TEXT NOT NULL,
    checksum INTEGER NOT NULL     -- of what a passage is and its encoding; no keys, no generation
);
CREATE INDEX passage_document ON passage (document);
CREATE INDEX passage_generation ON passage (generation);
CREATE INDEX passage_content ON passage (content);

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
    generation INTEGER NOT NULL  -- that it went with
);
CREATE INDEX removed_generation ON removed (generation);

-- In how many passages each word piece occurs.
CREATE TABLE piece (
    id INTEGER PRIMARY KEY,
    passages INTEGER NOT NULL
);

-- What readers said of passages that were found. Nothing here leads to the tables above: it stays
-- when a document goes or is read anew, and its passage is found again by the quotation.
CREATE TABLE feedback (
    question TEXT NOT NULL,
    passage TEXT NOT NULL,    -- its id
    document TEXT NOT NULL,   -- its id
    source TEXT NOT NULL,     -- path
    quotation TEXT NOT NULL,  -- the sentence that was marked, word for word
    start INTEGER NOT NULL,   -- of the quotation in the document's text
    "end" INTEGER NOT NULL,
    good INTEGER NOT NULL,    -- 1 or 0
    score REAL NOT NULL,      -- that the passage had
    time TEXT NOT NULL,       -- ISO 8601, UTC
    PRIMARY KEY (question, passage)
) WITHOUT ROWID;
