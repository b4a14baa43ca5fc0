"""The texts of the search quality page; :mod:`ui.strings` has those of all others.

They are explanations more than labels, and used on that page only.
"""

INSIGHT = "How good is this library"
FIGURES = "The figures"
EMPTY = "There is nothing to look at yet: no document is indexed."

KNOWS = "Does it know what it doesn't know?"
KNOWS_HELP = (
    "rag should recognise questions that these documents don't answer. So it was asked both "
    "kinds: questions made from the library's own sentences, and everyday ones on other subjects."
)
RECOGNISED = "questions from its own sentences are recognised as answered here"
REFUSED = "questions on other subjects are called “probably not in your documents”"
OF = "{part:,} of {total:,}"
NOT_MEASURED = (
    "This has not been measured yet. It is when documents are indexed, or at the first question."
)
TOO_SMALL = (
    "This can't be measured here: it takes at least thirty sentences to ask about, which must "
    "stand out from questions on other subjects. The confidence is based on other libraries."
)
HELD_OUT = (
    "Each question was judged by a curve fitted to the others. Of those on other subjects, the "
    "tenth that scores highest is left out of the second figure: the library may cover it."
)

SCORES = "Scores of both kinds"
SCORES_HELP = "How many questions have a first passage with this score"
SCORES_TOLD = (
    "Histogram of scores. Questions from its own sentences score between {own_low:.2f} and "
    "{own_high:.2f}, half of them above {own_middle:.2f}; those on other subjects between "
    "{other_low:.2f} and {other_high:.2f}, half of them above {other_middle:.2f}. From "
    "{threshold:.2f} on a question counts as answered."
)
OWN = "its own"
OTHER = "other subjects"
ANSWERED_FROM = "answered"
SCORE = "Score"
QUESTIONS = "questions"

SURE = "Stated confidence, and the share that is answered"
SURE_HELP = "Dashed: where both are the same. Bars: 95 % intervals"
SURE_TOLD = "Reliability diagram. {bins}"
SURE_TOLD_BIN = "Where it says {confidence}, {share} are answered."
CONFIDENCE = "Confidence"
SHARE = "Answered"
INTERVAL = "95 % interval"
RANGE = "{low} to {high}"

FOUND = "Is everything found?"
FOUND_HELP = (
    "The self-test searches for titles, headings and rare words of single sentences, and "
    "checks whether the document that they are from is found."
)
AMONG = "are among the first ten"
FIRST = "come first"
NOT_CHECKED = "This has not been tested yet: rag check does that, and so does rag index."
RANKS = "Ranks of the documents looked for"
RANKS_TOLD = "Bar chart of ranks. {bars}."
RANK_NAMES = ("1st", "2nd", "3rd", "to 10th", "not found")
MISSED = "Not among the first ten ({count:,})"
MISSED_MORE = "And {count:,} more: rag check names them."
RANK = "Rank"

DATES = "When the documents are from"
DATES_TOLD = "Bar chart of documents by {unit}, from {first} to {last}. Most, {most:,}, in {when}."
NO_DATES = "No document says when it was written."
UNDATED = "{documents} without a date."
FILE_TIME = "{documents} with only the time at which their file was saved."
UNITS = {"month": "Month", "year": "Year", "decade": "Decade"}
DECADE = "{year}s"
DOCUMENTS = "Documents"

NEIGHBOURS = "Similar passages"
NEAREST = "Most similar"
LIKENESS = "Similarity {cosine:.2f}"
LIKENESS_HELP = "1 means identical; unrelated passages are around 0"
ALONE = "There is no other passage."
