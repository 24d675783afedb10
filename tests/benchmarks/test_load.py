"""The load test counts an answer that is wrong in its last digit, is missing, or is another's."""

import pytest

from benchmarks.load import Person, Record, by_name

ROWS = "file,probability,classified_at\na.bmp,0.123456,10:00\nb.bmp,0.9,10:00\n"


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (ROWS, 0),
        (ROWS.replace("10:00", "10:05"), 0),
        (ROWS.replace("0.123456", "0.123457"), 1),
        (ROWS.replace("b.bmp,0.9,10:00\n", ""), 1),
        (ROWS + "c.bmp,0.5,10:00\n", 1),
        (ROWS.replace("a.bmp", "x").replace("b.bmp", "a.bmp").replace("x", "b.bmp"), 2),
    ],
)
def test_each_answer_is_compared_to_the_digit(found, wrong):
    record = Record()
    Person(1, "http://localhost", 2, None, record)._compare(by_name(found), by_name(ROWS))
    assert len(record.wrong) == wrong
    assert record.answers == len(by_name(found))
