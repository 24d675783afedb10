"""Verifications in the data folder: what was sent is kept for as long as a job needs it, and no longer."""

import pytest

from leukemia.errors import DatasetError, JobError
from leukemia.verification import answering, store
from tests.support.labelled_cells import write_folders


def names(verification):
    return {path.name for path in verification.folder.iterdir()}


def test_an_upload_stays_where_its_job_was_started_and_takes_the_place_of_the_one_before(stated):
    with store.upload(stated, b"first") as first:
        assert first.read_bytes() == b"first"
    with store.upload(stated, b"second") as second:
        assert first.exists(), "a job may have it"
    assert names(stated) == {store.CRITERION, second.name}
    assert second.read_bytes() == b"second"


def test_an_upload_whose_job_was_not_started_goes_and_the_one_before_stays(stated):
    with store.upload(stated, b"first") as first:
        pass
    with pytest.raises(JobError), store.upload(stated, b"second"):
        raise JobError("Busy.")
    assert names(stated) == {store.CRITERION, first.name}


def test_nothing_is_written_where_there_is_a_result_or_no_criterion_any_more(stated, bundle, tmp_path):
    answering.answer(stated, bundle, write_folders(tmp_path / "cells"))
    before = names(stated)
    with pytest.raises(DatasetError, match="has its result"), store.upload(stated, b"late"):
        pass
    assert names(stated) == before
    other = store.state(tmp_path / "data", bundle, "tiny", "Elsewhere", stated.stated.criterion, "Dr. Ada")
    store.drop(other)
    with pytest.raises(DatasetError, match="There is no verification"), store.upload(other, b"late"):
        pass
    assert not other.folder.exists()


def test_a_verification_waits_until_it_is_answered_or_withdrawn(stated, bundle, tmp_path):
    store.check_waits(stated)
    answering.answer(stated, bundle, write_folders(tmp_path / "cells"))
    with pytest.raises(DatasetError, match="has its result"):
        store.check_waits(stated)
    other = store.state(tmp_path / "data", bundle, "tiny", "Elsewhere", stated.stated.criterion, "Dr. Ada")
    store.drop(other)
    with pytest.raises(DatasetError, match="There is no verification"):
        store.check_waits(other)


def test_an_upload_that_cannot_be_written_is_a_sentence(stated, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "whole_file", full)
    with pytest.raises(DatasetError, match="cannot be stored: No space left"), store.upload(stated, b"x"):
        pass
