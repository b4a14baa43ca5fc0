from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.constraints import MOST, constraints, unmet


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did sewage cost in Steinach in 2019?", ["Steinach", "2019"]),
        ("How long is the warranty of the QW-150 and the F28?", ["QW-150", "F28"]),
        ("Did Ana pay 1,450.50 euros on March 3rd?", ["Ana", "1450.50", "March", "3rd"]),
        ("Which organisation did Samoa join on 28/8/1970?", ["Samoa", "1970"]),
        ("It rained. When will it stop? I ask.", []),
        ("What was agreed on Monday in May?", ["May"]),
        ("Wer hat den Vertrag mit der Stadt 2020 geschlossen?", ["2020"]),  # nouns are no names
        ("Annual Report Of The Water Board 2021", ["2021"]),  # nor are the words of a title
        ("¿Cuánto paga Ana al mes?", ["Ana"]),
        ("水泵 QW-150 的交货期", ["QW-150"]),
        ("型号QW-150在2019年的价格", ["QW-150", "2019"]),
        ("Did the war of 1914-1918 end?", ["1914", "1918"]),
        ("My question: - Who wrote it?\n\nWhere is it?", []),
        ("I ask: -Who wrote it for Rolls-Royce?", ["Rolls", "Royce"]),
    ],
)
def test_constraints(question: str, expected: list[str]) -> None:
    """Numbers, codes, and words with a capital letter that no rule of spelling asks for."""
    assert [one.asked for one in constraints(question)] == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What did it cost in 2019?", "tariff_2019.xlsx", ()),
        ("What did it cost in 2019?", "In 2020 it cost 12019 euros, or 2019.5.", ("2019",)),
        ("Is it above 1,450 euros?", "We pay 1450 euros.", ()),
        ("Is the pump a QW-150?", "The QW 150 is a pump.", ()),
        ("Is the pump a QW-150?", "It costs 150; the QW-1500 and QW-120 cost more.", ("QW-150",)),
        ("How many weights has the 70B model?", "It has 70 billion, or 70 b.", ()),
        ("What was agreed on 28.8.1970?", "Agreed on 28.08.1970", ()),
        ("What was agreed on 28.8.1970?", "Agreed on August 28, 1970", ()),
        ("Why did it fail in September 2024?", "It failed on 2024-02-20.", ("September",)),
        ("Why did it fail in September 2024?", "Es versagte am 3.9.2024, im Sept. also.", ()),
        (
            "Who came in April 2021?",
            "On 14 March 2021, for 4.2 million, on platform 4.",
            ("April",),
        ),
        ("Who came in April 2021?", "14.4.2021", ()),
        ("What is error F-4712?", "Error F\u20114711", ("F-4712",)),
        ("What is error F\u20114712?", "Error F-4712", ()),
        ("Is it at 10:30 or at 9.15?", "At 10.30, not 9:15.", ()),
        ("Who works for Rolls-Royce in the town?", "The town has rolls.", ("Royce",)),
        ("What came in October?", "It came on 2024-10-03 (10月).", ()),
        ("Who was the 3rd son?", "Son number 3.", ()),
        ("What was Sven's thesis, and that of Svens brother?", "Thesis of Sven", ()),
        ("What does Hydrantis charge?", "An underground hydrant costs 998.", ("Hydrantis",)),
        ("Who rules in Zürich and İzmir?", "ZURICH, Izmir", ()),
        ("Где находится река Волга?", "Длина Волги", ()),
        ("2019年的收入", "٢٠١٩, २०१९, ２０１９年", ()),
        ("Who met Путин?", "Встреча с Путиным", ()),  # noqa: RUF001 (Cyrillic)
        ("When did Tonga become free?", "Samoa became free in 1962.", ("Tonga",)),
    ],
)
def test_unmet(question: str, text: str, expected: tuple[str, ...]) -> None:
    """Notation, case, accents, plural and inflection don't matter; the thing itself does."""
    assert unmet(constraints(question), [text]) == expected


@given(st.text(st.sampled_from("aB cD9.,-/'\u2019sÉİ ßЖж1 2\u00a0?東"), max_size=60) | st.text())
def test_every_question_meets_its_own_constraints(question: str) -> None:
    """Whatever the question is; and there is a bounded number of them."""
    wanted = constraints(question)
    assert len(wanted) <= MOST
    assert unmet(wanted, [question]) == ()
