-- The source of truth. Everything else in the library's folder is derived from this file.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- AUTOINCREMENT: keys are never reused, so an index that lags behind can't mistake a new passage
-- for an old one.
CREATE TABLE document (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    date TEXT,
    digest TEXT NOT NULL,
    metadata TEXT NOT NULL,  -- JSON object
    headings TEXT NOT NULL,  -- JSON [[start, end, level], …]
    pages TEXT NOT NULL,     -- JSON [[start, end], …]
    page_labels TEXT NOT NULL,  -- JSON [label, …], one per page or none
    warnings TEXT NOT NULL,     -- JSON [line, …]
    text TEXT NOT NULL,
    language TEXT,              -- as in the metadata
    checksum INTEGER NOT NULL   -- of the columns above except key and language
);
CREATE INDEX document_date ON document (date);
CREATE INDEX document_language ON document (language);

-- A file as it was when last read, and the outcome.
CREATE TABLE file (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    reader TEXT NOT NULL,    -- version of reading, OCR languages if used, memory limit
    failures TEXT NOT NULL,  -- JSON [[source, reason, kind], …]: parts that could not be read
    seconds REAL NOT NULL    -- reading time
) WITHOUT ROWID;
CREATE INDEX file_digest ON file (digest);

-- Where a document was found: a file, or a member of one ("letters.zip/may.txt"). A document may
-- have several sources.
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
    generation INTEGER NOT NULL,  -- that added it
    content INTEGER NOT NULL,     -- hash of the input to its encoding
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    pages TEXT NOT NULL,          -- JSON [[number, label, start], …]
    leading INTEGER NOT NULL,
    headings TEXT NOT NULL,       -- JSON [text, …]
    sentences BLOB NOT NULL,      -- int32 pairs (start, end) in the document's text
    text TEXT NOT NULL,
    checksum INTEGER NOT NULL     -- of the passage and its encoding, without keys and generation
);
CREATE INDEX passage_document ON passage (document);
CREATE INDEX passage_generation ON passage (generation);
CREATE INDEX passage_content ON passage (content);

-- A table of its own, so that reading passages doesn't page through encodings; bits last, so that
-- reading vectors doesn't page through them.
CREATE TABLE encoding (
    passage INTEGER PRIMARY KEY REFERENCES passage (key) ON DELETE CASCADE,
    vectors BLOB NOT NULL,  -- float16, one row per sentence
    counts BLOB NOT NULL,   -- int32, number of tokens of each sentence
    pieces BLOB NOT NULL,   -- int32, word piece of each token
    bits BLOB NOT NULL      -- one row per token, one bit per dimension
);

-- Tombstones: deleted passages that indexes may still contain.
CREATE TABLE removed (
    passage INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL  -- that deleted it
);
CREATE INDEX removed_generation ON removed (generation);

-- Document frequency of each word piece, counted in passages.
CREATE TABLE piece (
    id INTEGER PRIMARY KEY,
    passages INTEGER NOT NULL
);

-- Readers' ratings of hits. No foreign keys: ratings survive when a document is removed or read
-- again, and the passage is then located by its quotation.
CREATE TABLE feedback (
    question TEXT NOT NULL,
    passage TEXT NOT NULL,    -- its id
    document TEXT NOT NULL,   -- its id
    source TEXT NOT NULL,     -- path
    quotation TEXT NOT NULL,  -- the highlighted sentence, verbatim
    start INTEGER NOT NULL,   -- of the quotation in the document's text
    "end" INTEGER NOT NULL,
    good INTEGER NOT NULL,    -- 1 or 0
    score REAL NOT NULL,      -- of the passage
    time TEXT NOT NULL,       -- ISO 8601, UTC
    PRIMARY KEY (question, passage)
) WITHOUT ROWID;
