import pytest

from leukemia.dataset.importing import layout
from leukemia.dataset.importing.sources import Entry
from leukemia.errors import ArchiveError

PRELIMINARY = "validation_data/C-NMC_test_prelim_phase_data"
FINAL = "C-NMC_test_final_phase_data"
HEADER = "Patient_ID,new_names,labels\n"

ROWS = "UID_57_29_1_all.bmp,7.bmp,1\nUID_H9_1_1_hem.bmp,8.bmp,0\n"


def entry(origin, data=b""):
    return Entry(origin, len(data), "1", lambda: data)


def table(text, origin=f"{PRELIMINARY}_labels.csv"):
    return entry(origin, text if isinstance(text, bytes) else text.encode())


def said(download):
    return {
        named.entry.origin.rsplit("/", 1)[-1]: (named.source, named.label, named.patient)
        for named in download.images
    }


def test_names_tell_phase_class_and_patient_in_both_layouts():
    for training, preliminary, final in (
        ("C-NMC_Leukemia/training_data/fold_0", f"C-NMC_Leukemia/{PRELIMINARY}", f"testing_data/{FINAL}"),
        ("C-NMC_training_data/fold_0", "C-NMC_test_prelim_phase_data", FINAL),
    ):
        download = layout.read(
            [
                entry(f"{training}/all/UID_25_1_2_all.bmp"),
                entry(f"{training}/hem/UID_H25_1_2_hem.bmp"),
                entry(f"{training}/hem/UID_h3_1_2_hem.bmp"),
                entry(f"{preliminary}/7.bmp"),
                table(f"{HEADER}{ROWS}", f"{preliminary}_labels.csv"),
                entry(f"{final}/1.bmp"),
                entry("LICENSE.txt"),
                entry("cover.png"),
            ]
        )
        assert said(download) == {
            "UID_25_1_2_all.bmp": ("fold_0", "ALL", "25"),
            "UID_H25_1_2_hem.bmp": ("fold_0", "Normal", "H25"),
            "UID_h3_1_2_hem.bmp": ("fold_0", "Normal", "H3"),
            "7.bmp": ("preliminary", "ALL", "57"),
            "1.bmp": ("final", "", ""),
        }
        assert (download.rows, download.absent, download.left_out, download.other) == (2, 1, ["cover.png"], 1)


def test_a_name_that_contradicts_its_folder_has_no_label():
    (named,) = layout.read([entry("fold_1/all/UID_H1_1_1_hem.bmp")]).images
    assert (named.label, named.patient) == ("", "H1")
    assert named.doubt == "Its folder says all, its name says hem."
    (named,) = layout.read([entry("fold_1/all/IMG_0001.bmp")]).images
    assert (named.label, named.patient) == ("", "")
    assert "which patient it is from" in named.doubt


@pytest.mark.parametrize(
    ("row", "doubt"),
    [
        ("UID_57_29_1_all.bmp,7.bmp,0", "gives Normal for UID_57_29_1_all.bmp"),
        ("anybody,7.bmp,1", "which patient it is from"),
        ("UID_57_29_1_all.bmp,9.bmp,1", "not listed in"),
    ],
)
def test_a_preliminary_image_that_the_table_does_not_settle_has_no_label(row, doubt):
    download = layout.read([entry(f"{PRELIMINARY}/7.bmp"), table(HEADER + row)])
    (named,) = download.images
    assert named.label == ""
    assert doubt in named.doubt


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no row"),
        (HEADER, "has no row"),
        ("Patient_ID,name,labels\na,b,1\n", r"lacks columns: new_names"),
        (f"{HEADER}UID_1_1_1_all.bmp,7.bmp,2\n", "line 2: the label is '2'"),
        (f"{HEADER}UID_1_1_1_all.bmp,7.bmp,\n", "line 2: the label is ''"),
        (f"{HEADER}UID_1_1_1_all.bmp,7.bmp\n", "line 2: the number of columns is wrong"),
        (f"{HEADER}UID_1_1_1_all.bmp,7.bmp,1,1\n", "line 2: the number of columns is wrong"),
        (f"{HEADER}UID_1_1_1_all.bmp,7.bmp,1\nUID_2_1_1_all.bmp,7.bmp,1\n", "two different rows for 7.bmp"),
        (b"\xff\xfe\x00", "lacks columns:"),
        (f'{HEADER}"UID_1_1_1_all.bmp,7.bmp,1\n', "cannot be read as a CSV file"),
    ],
)
def test_a_table_that_cannot_be_trusted_stops_the_import(text, says):
    with pytest.raises(ArchiveError, match=says):
        layout.read([entry(f"{PRELIMINARY}/7.bmp"), table(text)])


@pytest.mark.parametrize(
    "text",
    [
        (HEADER + ROWS).replace(",", ";"),
        (HEADER + ROWS).replace(",", "\t"),
        (HEADER + ROWS).encode("utf-16"),
        (HEADER + ROWS).replace(",", "\t").encode("utf-16-le"),
        (HEADER + ROWS).encode("utf-8-sig"),
        f"\n{HEADER}{ROWS},,\n\n ,, \n",
        (HEADER + ROWS).replace("\n", "\r\n"),
        f",Patient_ID,new_names,labels\n0,{ROWS.splitlines()[0]}\n1,{ROWS.splitlines()[1]}\n",
        "new_names, LABELS ,patient_id\n7.bmp,1,UID_57_29_1_all.bmp\n8.bmp,0,UID_H9_1_1_hem.bmp\n",
    ],
)
def test_the_table_is_read_as_people_save_it(text):
    download = layout.read([entry(f"{PRELIMINARY}/7.bmp"), entry(f"{PRELIMINARY}/8.bmp"), table(text)])
    assert said(download) == {"7.bmp": ("preliminary", "ALL", "57"), "8.bmp": ("preliminary", "Normal", "H9")}
    assert (download.rows, download.absent) == (2, 0)


@pytest.mark.parametrize("ending", ["_labels (1).csv", "_labels.CSV", "_labels - Copy.csv"])
def test_the_table_is_found_by_the_name_of_a_copy(ending):
    for prefix in ("", "Copy of "):
        name = f"{prefix}C-NMC_test_prelim_phase_data{ending}"
        (named,) = layout.read([entry(f"{PRELIMINARY}/7.bmp"), table(HEADER + ROWS, name)]).images
        assert (named.label, named.doubt) == ("ALL", "")


def test_a_missing_table_is_called_missing():
    (named,) = layout.read([entry(f"{PRELIMINARY}/7.bmp")]).images
    assert named.doubt == "The download has no C-NMC_test_prelim_phase_data_labels.csv."


def test_a_folder_that_is_no_such_set_is_told():
    for origins in (["a.bmp", "fold_0/a.bmp", "all/UID_1_1_1_all.bmp"], ["notes.txt"]):
        with pytest.raises(ArchiveError, match=r"not a C-NMC 2019 download.*fold_N/all"):
            layout.read([entry(origin) for origin in origins])
