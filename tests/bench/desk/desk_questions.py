"""The questions of the desk: how they are written, stored, split in halves and checked.

``README.md`` has the format in which they are written.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gold:
    """A place that answers: a text in a file, and the part of it that a marking must contain.

    ``start`` and ``end`` are offsets in ``text``, the end exclusive.
    """

    file: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the desk.

    ``answer`` is ``here``, ``near`` for a question whose subject is on the desk but whose ``wrong``
    field (year, person, …) is not, or ``foreign``. All of ``gold`` together is the answer; each of
    ``alternatives`` is one by itself. ``nearest`` is the file that a near miss is about, and
    ``after`` the question to which a follow-on belongs.
    """

    id: str
    half: str
    kind: str
    answer: str
    question: str
    gold: tuple[Gold, ...] = ()
    alternatives: tuple[Gold, ...] = ()
    after: str | None = None
    wrong: str | None = None
    nearest: str | None = None


def read_written_questions(files: Sequence[Path]) -> list[Question]:
    """The questions as written, each with its half."""
    written = [
        _question(block)
        for file in files
        for block in re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip())
        if block.startswith("[")
    ]
    split = zip(written, halves(written), strict=True)
    return [replace(one, half=half) for one, half in split]


def _question(block: str) -> Question:
    """Parse a question; ``README.md`` has the format."""
    lines = block.splitlines()
    head = re.fullmatch(r"\[([\w-]+)(?: (near|foreign))?(?:: (.+?))?\](?: (\S+))?", lines[0])
    if not head:
        raise ValueError(f"not the first line of a question: {lines[0]}")
    by_mark = defaultdict(list)
    for line in lines[1:]:
        by_mark[line[:2]].append(line[2:])
    (text,) = by_mark["? "]
    return Question(
        id=hashlib.sha256(text.encode()).hexdigest()[:12],
        half="",
        kind=head[1],
        answer=head[2] or "here",
        question=text,
        gold=tuple(_gold(one, head[4]) for one in by_mark["= "]),
        alternatives=tuple(_gold(one, head[4]) for one in by_mark["~ "]),
        after=next(iter(by_mark["< "]), None),
        wrong=head[3],
        nearest=head[4] if head[2] else None,
    )


def _gold(line: str, file: str) -> Gold:
    """A gold text, in another file where ``path :: `` precedes it; ``[[…]]`` is its core."""
    other, colons, rest = line.replace("\\n", "\n").partition(" :: ")
    text = rest if colons else other
    before, _, after = text.partition("[[")
    core, closing, end = after.partition("]]")
    if not closing:
        return Gold(other if colons else file, text, 0, len(text))
    start = len(before)
    return Gold(other if colons else file, before + core + end, start, start + len(core))


def halves(questions: Sequence[Question]) -> list[str]:
    """``A`` or ``B`` for each: within a kind, questions alternate in the order of their hashes."""
    strata = defaultdict(list)
    for one in questions:
        strata[one.answer, one.kind].append(one.id)
    order = [one for key in sorted(strata) for one in sorted(strata[key])]
    return ["AB"[order.index(one.id) % 2] for one in questions]


def write_questions(questions: Sequence[Question], desk: Path) -> None:
    """Write the questions beside the files of a desk."""
    lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in questions]
    (desk / "questions.jsonl").write_text("".join(lines), encoding="utf-8")


def read_questions(desk: Path, half: str | None = None) -> list[Question]:
    """The questions of a desk that was built, of one half or both."""
    found = []
    for line in (desk / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        for name in ("gold", "alternatives"):
            fields[name] = tuple(Gold(**one) for one in fields[name])
        found.append(Question(**fields))
    return [one for one in found if half in (None, one.half)]


def check(desk: Path) -> int:
    """Print what is wrong, and how much there is of each kind; returns an exit status."""
    texts, problems = read_files(desk / "files")
    questions = read_questions(desk)
    for question in questions:
        problems += [f"{question.question}: {one}" for one in problems_of(question, texts)]
    asked = Counter(one.id for one in questions)
    problems += [f"asked {count} times: {name}" for name, count in asked.items() if count > 1]
    print("\n".join(problems))
    print(f"{len(texts)} files:", dict(Counter(Path(one).suffix for one in texts)))
    table = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    table.writerow(("answer", "kind", "half A", "half B"))
    kinds = Counter((one.answer, one.kind, one.half) for one in questions)
    for answer, kind in sorted({(one.answer, one.kind) for one in questions}):
        table.writerow((answer, kind, kinds[answer, kind, "A"], kinds[answer, kind, "B"]))
    shares = [shared_words(one) for one in questions if one.gold]
    low = sum(share <= 0.5 for share in shares)
    print(f"{low} of {len(shares)} share at most half of their longer words with their gold texts")
    print(f"{len(questions)} questions, {len(problems)} problems")
    return 1 if problems else 0


def read_files(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The text of each file as the product reads it, and what it can't read."""
    from rag.documents.registry import load
    from rag.types import Document

    texts: dict[str, str] = {}
    problems = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        for one in load(path):
            if isinstance(one, Document):
                texts[name] = texts.get(name, "") + one.text + "\n\n"
            else:
                problems.append(f"{name} can't be read: {one.reason}")
    return texts, problems


def problems_of(question: Question, texts: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a question, given the texts of the files by name."""
    if bool(question.gold) is not (question.answer == "here"):
        yield "gold texts and answer disagree"
    if question.answer == "near" and not (question.wrong and question.nearest in texts):
        yield "a near miss needs what is wrong, and a file"
    for gold in (*question.gold, *question.alternatives):
        if (count := texts.get(gold.file, "").count(gold.text)) != 1:
            yield f"{count} times in {gold.file}: {gold.text}"


def shared_words(question: Question) -> float:
    """The share of the question's words of four letters or more that stand in its gold texts."""
    gold = " ".join(one.text for one in question.gold).casefold()
    words = [one for one in re.findall(r"\w+", question.question.casefold()) if len(one) > 3]
    return sum(one in gold for one in words) / max(len(words), 1)
