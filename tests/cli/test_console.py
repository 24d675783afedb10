"""Progress on a terminal that nobody watches."""

from leukemia.cli.console import Bar


def test_a_step_of_unknown_length_is_named_once_and_one_of_known_length_is_counted(capsys):
    with Bar() as bar:
        for _ in range(3):
            bar(0, 0, "Listing the files")
        for done in range(5):
            bar(done, 4, "Importing")
        bar(0, 0, "Putting the images in place")
    assert capsys.readouterr().err.splitlines() == [
        "Listing the files …",
        "Importing: 4 of 4 images",
        "Putting the images in place …",
    ]
