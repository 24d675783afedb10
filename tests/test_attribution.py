import pytest

from leukemia.attribution import MAX_WHO, MAX_WHY, attribute, clean
from leukemia.errors import BundleError, CorrectionError


def test_who_and_why_are_kept_with_single_spaces_and_the_time():
    given = attribute("  Dr.\tAda \n", " fewer \n misses ", BundleError)
    assert (given.who, given.why) == ("Dr. Ada", "fewer misses")
    assert given.at.endswith("+00:00")


@pytest.mark.parametrize(
    ("who", "why", "message"),
    [
        ("", "why", "give your name and a reason"),
        ("Ada", " \n", "give your name and a reason"),
        ("x" * (MAX_WHO + 1), "why", "at most 200 characters"),
        ("Ada", "x" * (MAX_WHY + 1), "at most 2,000"),
    ],
)
@pytest.mark.parametrize("error", [BundleError, CorrectionError])
def test_what_is_missing_or_too_long_is_a_sentence_of_the_callers_error(who, why, message, error):
    with pytest.raises(error, match=message):
        attribute(who, why, error)


def test_what_fits_exactly_is_taken():
    given = attribute("Ä" * MAX_WHO, "ß" * MAX_WHY, BundleError)
    assert (len(given.who), len(given.why)) == (MAX_WHO, MAX_WHY)


def test_letters_that_no_database_takes_are_left_out():
    assert clean(" Dr.\x00 A\x1bda \ud800\n👩‍⚕️ ") == "Dr. Ada 👩‍⚕️"


def test_each_letter_is_written_in_one_way():
    assert clean("Zoe\u0308 ") == clean("Zoe\x00\u0308") == "Zo\u00eb"
