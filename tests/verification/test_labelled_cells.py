"""What a laboratory brings is read as it is meant, and what cannot be used is said in a line."""

import zipfile
from contextlib import ExitStack

import pytest

from leukemia.errors import ArchiveError, DatasetError
from leukemia.verification import labelled_cells


def read(source):
    with ExitStack() as stack:
        found = labelled_cells.read(source, stack)
        for cell in found.cells:
            cell.entry.load()
        return found


def told(found):
    return [(cell.entry.origin, cell.label, cell.patient) for cell in found.cells]


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"image")
    return folder


def table(folder, text, name="cells.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder


def test_two_folders_with_a_folder_for_each_patient(tmp_path):
    touch(
        tmp_path, "ALL/anna/1.png", "ALL/anna/deep/2.png", "normal/Ben/3.tif", "ALL/notes.txt", "ALL/.x.png"
    )
    assert told(read(tmp_path)) == [
        ("ALL/anna/1.png", "ALL", "anna"),
        ("ALL/anna/deep/2.png", "ALL", "anna"),
        ("normal/Ben/3.tif", "Normal", "Ben"),
    ]


def test_c_nmcs_names_tell_the_patient_where_no_folder_does(tmp_path):
    touch(tmp_path, "fold_0/all/UID_7_1_1_all.bmp", "fold_0/hem/UID_h3_1_2_hem.bmp", "1/8/a.png")
    found = read(tmp_path)
    assert {(cell.label, cell.patient, cell.by_name) for cell in found.cells} == {
        ("ALL", "7", True),
        ("Normal", "H3", True),
        ("ALL", "8", False),
    }


def test_files_that_say_two_things_or_nothing_are_a_line_each(tmp_path):
    touch(tmp_path, "ALL/p/1.png", "ALL/UID_7_1_1_hem.bmp", "loose.png", "hem/2.png")
    assert read(tmp_path).problems == [
        "ALL/UID_7_1_1_hem.bmp: its folder says ALL, its name says hem.",
        "hem/2.png: it does not say which patient it is from.",
        "loose.png: it is not in a folder called ALL or Normal.",
    ]


def test_where_no_patient_can_be_told_it_is_refused_in_a_sentence(tmp_path):
    touch(tmp_path, "ALL/1.png", "Normal/2.png")
    with pytest.raises(DatasetError, match="It is not clear which patient"):
        read(tmp_path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_as_spreadsheets_write_it(tmp_path, delimiter, encoding):
    touch(tmp_path, "a/1.png", "2.png", "3.png")
    rows = [["Patient", " FILE ", "Label", "remark"], ["Müller", "a\\1.png", "all", "x"]]
    rows += [["B", "./2.png", "1", ""], ["C", "3.png", "hem", ""], ["", "", "", ""]]
    table(tmp_path, "\r\n".join(delimiter.join(row) for row in rows), encoding=encoding)
    assert told(read(tmp_path)) == [
        ("a/1.png", "ALL", "Müller"),
        ("2.png", "ALL", "B"),
        ("3.png", "Normal", "C"),
    ]


def test_each_row_that_cannot_be_used_is_a_line_and_the_others_count(tmp_path):
    touch(tmp_path / "set", "1.png", "2.png")
    touch(tmp_path, "outside.png")
    rows = ["1.png,ALL,A", "1.png,Normal,A", "2.png,blast,B", "2.png,Normal,", "3.png,ALL,C", ",ALL,C"]
    rows += ["../outside.png,ALL,C", "/etc/passwd,ALL,C", "C:\\x.png,ALL,C", "2.png,ALL", "2.png,0,B"]
    table(tmp_path / "set", "\n".join(["file,label,patient", *rows]))
    found = read(tmp_path / "set")
    assert told(found) == [("1.png", "ALL", "A"), ("2.png", "Normal", "B")]
    assert [problem.removeprefix("cells.csv, line ") for problem in found.problems] == [
        "3: 1.png was listed before; the first row counts.",
        "4: the label is 'blast'; it must be ALL or Normal.",
        "5: the patient is missing.",
        "6: there is no file 3.png.",
        "7: it names no file.",
        "8: ../outside.png lies outside the CSV's folder: write paths as they are seen from the CSV.",
        "9: /etc/passwd lies outside the CSV's folder: write paths as they are seen from the CSV.",
        "10: C:\\x.png lies outside the CSV's folder: write paths as they are seen from the CSV.",
        "11: it does not have as many columns as the first line.",
    ]


def test_a_csv_is_named_itself_or_lies_in_a_zip(tmp_path):
    touch(tmp_path, "x/1.png")
    table(tmp_path / "x", "file,label,patient\n1.png,ALL,A\n", name="mine.csv")
    table(tmp_path / "x", "no,cells\n", name="other.csv")
    assert told(read(tmp_path / "x" / "mine.csv")) == [("1.png", "ALL", "A")]
    with zipfile.ZipFile(tmp_path / "cells.zip", "w") as archive:
        archive.write(tmp_path / "x" / "1.png", "top/1.png")
        archive.write(tmp_path / "x" / "mine.csv", "top/mine.csv")
    assert told(read(tmp_path / "cells.zip")) == [("top/1.png", "ALL", "A")]


def test_a_csv_without_its_columns_two_of_them_or_none_that_can_be_used(tmp_path):
    touch(tmp_path, "1.png")
    table(tmp_path, "file;class\n1.png;ALL\n")
    with pytest.raises(DatasetError, match=r"cells.csv lacks columns: label, patient; it has file, class"):
        read(tmp_path)
    table(tmp_path, "file,label,patient\n2.png,ALL,A\n")
    with pytest.raises(
        DatasetError, match=r"No labelled cell can be used. cells.csv, line 2: there is no file 2.png"
    ):
        read(tmp_path)
    table(tmp_path, "file,label,patient\n", name="second.csv")
    with pytest.raises(DatasetError, match="2 CSV files"):
        read(tmp_path)


def test_a_zip_that_leads_outside_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../ALL/A/1.png", b"image")
    with pytest.raises(ArchiveError, match="leads outside"):
        read(tmp_path / "bad.zip")


def test_links_out_of_the_folders_that_are_open_to_imports_are_a_line_each(tmp_path, monkeypatch):
    touch(tmp_path, "open/ALL/p/1.png", "secret/2.png")
    (tmp_path / "open" / "ALL" / "p" / "2.png").symlink_to(tmp_path / "secret" / "2.png")
    (tmp_path / "open" / "Normal").symlink_to(tmp_path / "secret")
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", str(tmp_path / "open"))
    found = read(tmp_path / "open")
    assert told(found) == [("ALL/p/1.png", "ALL", "p")]
    assert sorted(found.problems) == [
        f"{name}: it is a link that leads out of the folders that are open to imports."
        for name in ("ALL/p/2.png", "Normal")
    ]
    table(tmp_path / "open", "file,label,patient\nALL/p/1.png,ALL,p\nALL/p/2.png,ALL,p\n")
    assert told(read(tmp_path / "open" / "cells.csv")) == [("ALL/p/1.png", "ALL", "p")]
