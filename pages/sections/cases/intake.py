"""Cells dropped into a case: answered a few at a time, each on record as soon as it is answered."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.bundles.bundle import Bundle
from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.counting import counted
from leukemia.errors import AccessError, BundleError, RecordsError
from leukemia.imaging import reader
from leukemia.inference import batch as batches
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.markdown import plain
from leukemia.settings import MAX_FILES
from leukemia.storage import files as disk
from pages.components import (
    identity,
    model_in_service,
    offer,
    scale_question,
    session_batch,
    stain_choice,
    streamlit_internals,
)
from pages.sections.cases import words

# Seconds of work between two drawings of the page.
REDRAW = 1.5
DROP = f"Drop images of single cells or fields of a smear here. Up to {MAX_FILES} files at once."
WHO_FIRST = "To add cells, first say who you are: it is kept with them."
AGAIN = "These cells are not in the case yet."


@dataclass
class Intake:
    """What this session is adding to a case.

    Attributes
    ----------
    batch : Batch
        What is not on record yet; an image leaves it once it is.
    seen : set of str
        The file_ids of all that was dropped.
    added, already, fields, fields_already : int
        Cells put on record; those that the case held already; the same of fields.
    match_stain : bool
        Whether the stain of fields is matched to the training cells before their cells are answered.
    unread : list of str
        Names of the files that could not be read: a case does not keep them unless it was told to.
    trouble : str
        Why nothing could be put on record; empty where it could.
    who : str
        Who adds, where that is not who reads.
    answered_by : (Bundle, int or None) or None
        The model that answered last, and its version.
    """

    batch: Batch = field(default_factory=session_batch.new)
    seen: set[str] = field(default_factory=set)
    added: int = 0
    already: int = 0
    fields: int = 0
    fields_already: int = 0
    unread: list[str] = field(default_factory=list)
    match_stain: bool = False
    trouble: str = ""
    who: str = ""
    answered_by: tuple[Bundle, int | None] | None = None


def show(data: Path, case: Case, *, is_empty: bool) -> None:
    """Lay out the place to drop images; see :func:`work`."""
    if not offer.may(Action.MAKE_CASES):
        return
    state = _of(case.id)
    try:
        bundle = model_in_service.bundle()
    except BundleError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    expanded = is_open(case, is_empty=is_empty)
    with st.expander("Add cells", icon=":material/add_photo_alternate:", expanded=expanded):
        # One line, whichever is said: what stands below must not move while somebody presses it.
        st.caption(DROP if identity.name() else WHO_FIRST)
        st.file_uploader(
            "Images to add",
            label_visibility="collapsed",
            type=[suffix.removeprefix(".") for suffix in reader.SUFFIXES],
            accept_multiple_files=True,
            key=_uploader(case.id),
            on_change=_take_in,
            args=(case.id,),
            disabled=not identity.name(),
        )
        _say(state)
        scale_question.show(lambda: state.batch, bundle.pixel_size)
        state.match_stain = stain_choice.for_new_fields(f"match-stain-{case.id}", bundle)
        if state.trouble:
            st.error(plain(f"{state.trouble} {AGAIN}"), icon=":material/error:")
            st.button("Try again", icon=":material/refresh:", on_click=_try_again, args=(data, case.id))


def is_open(case: Case, *, is_empty: bool) -> bool:
    """Whether the place to drop images is unfolded by itself."""
    state = _of(case.id)
    return is_empty or bool(state.batch.waiting or state.batch.unscaled or state.trouble)


def work(data: Path, case: Case) -> None:
    """Answer what waits, put it on record, and run the page again until nothing waits: its last act."""
    state = _of(case.id)
    batch = state.batch
    if batch.final and state.answered_by and not state.trouble:
        # Answered before a press ended the last run, and by another model perhaps than what waits.
        if state.match_stain:
            with suppress(BundleError):
                stain_choice.match_all(batch, model_in_service.loaded(state.answered_by[0]))
        _keep(data, case.id)
        st.rerun()
    if not batch.waiting or batch.stopped or state.trouble:
        return
    total = len(batch)
    bar = st.progress(0.0, "Classifying …")

    def between() -> None:
        # Streamlit interrupts here when a button was pressed meanwhile.
        done = total - batch.waiting
        bar.progress(done / total, f"{done:,} of {total:,} classified" if done else "Classifying …")

    classifier, serving = model_in_service.classifier(), model_in_service.in_service()
    same = serving.bundle.digest == classifier.bundle.digest
    state.answered_by = classifier.bundle, serving.version if same else None
    until = time.monotonic() + REDRAW
    while batch.waiting:
        streamlit_internals.drop_uploads(batch.work(classifier, batches.CHUNK, between))
        if state.match_stain:
            stain_choice.match_all(batch, classifier)
        _keep(data, case.id)
        if state.trouble or time.monotonic() >= until:
            break
        between()
    st.rerun()


def take(case_id: int, items: Iterable[Item], *, who: str) -> None:
    """Have cells classified and added that were not dropped here: a callback."""
    state = _of(case_id)
    state.who = who
    state.batch.add(items)


def give_up(case_id: int) -> int:
    """Forget what is not on record yet of a case that was signed; how many files that is.

    They were not on record when it was signed, and must not come in unasked once it is open again.
    """
    state = _of(case_id)
    batch = state.batch
    if count := len(batch):
        batch.remove(batch.fields)  # the pixels that wait on disk, now rather than when it is forgotten
        streamlit_internals.drop_uploads(state.seen)
        state.batch, state.trouble = session_batch.new(batch.scale), ""
    return count


def _of(case_id: int) -> Intake:
    return st.session_state.setdefault(f"intake-{case_id}", Intake())


def _uploader(case_id: int) -> str:
    return f"case-uploader-{case_id}"


def _take_in(case_id: int) -> None:
    state = _of(case_id)
    state.who = ""
    new = [file for file in st.session_state[_uploader(case_id)] if file.file_id not in state.seen]
    state.seen |= {file.file_id for file in new}
    state.batch.add(
        Item(file.file_id, Source(disk.shown(file.name), file.getvalue))
        for file in new
        if not disk.is_hidden(PurePosixPath(file.name))
    )


def _keep(data: Path, case_id: int) -> None:
    """Put what was answered on record, all or nothing; it leaves the batch once it is there."""
    state = _of(case_id)
    results = state.batch.final
    if not results or not state.answered_by:
        return
    bundle, version = state.answered_by
    fields = state.batch.fields
    try:
        added = cells.add(
            data,
            case_id,
            results,
            bundle,
            bundle.operating_point,
            who=state.who or identity.name(),
            version=version,
            fields=fields,
        )
    except (AccessError, RecordsError) as error:
        state.trouble = str(error)
        return
    state.trouble = ""
    state.added += len(added.new)
    state.already += len(added.already)
    state.fields += len(added.fields)
    state.fields_already += len(added.fields_already)
    # A field without a white cell was read, and is kept.
    state.unread += [one.answer.name for one in results if not one.answer.image_id and one.key not in fields]
    state.batch.remove([one.item for one in results])


def _try_again(data: Path, case_id: int) -> None:
    _of(case_id).trouble = ""
    _keep(data, case_id)


def _say(state: Intake) -> None:
    batch = state.batch
    if batch.refused:
        st.warning(
            f"At most {MAX_FILES} files can be added at once: the last {batch.refused:,} are left out. "
            "Drop them in again on their own."
        )
    said = f"{state.added:,} added" * bool(state.added)
    fields = f"{counted(state.fields, 'field')} kept" * bool(state.fields)
    if told := "; ".join(filter(None, (said, fields, _there(state)))):
        st.caption(f"{told}.")
    if state.unread:
        st.warning(plain(words.unread(state.unread)), icon=":material/broken_image:")
    if batch.waiting and not state.trouble:
        st.caption(f"{batch.waiting:,} left to classify.")


def _there(state: Intake) -> str:
    """What the case held already; a field also where it holds none of its cells any more."""
    there = f"{state.already:,}" * bool(state.already)
    if state.fields_already:
        with_cells = f"{counted(state.already, 'cell')} and " * bool(state.already)
        there = with_cells + counted(state.fields_already, "field")
    return there and f"{there} in this case already, not added again"
