"""Drop cells in, read the results."""

import time
from pathlib import PurePosixPath

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from leukemia.dataset.synthetic import sample_writer
from leukemia.imaging import reader
from leukemia.imaging.scale import NATIVE
from leukemia.inference import batch as batches
from leukemia.inference import decisions, views
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item, Result
from leukemia.inference.classifier import Classifier
from leukemia.inference.learned import Learned, untold
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from leukemia.settings import MAX_FILES
from leukemia.storage import files as disk
from pages.components import (
    answers_on_record,
    card_text,
    entry,
    heading,
    late_uploads,
    model_in_service,
    model_panel,
    sample_cells,
    scale_question,
    streamlit_internals,
    upload_list,
)
from pages.components import session_batch as session
from pages.sections.cases import make_case
from pages.sections.classify import answers

DRAWINGS = 12
# Seconds of work between two drawings of the results so far.
REDRAW = 1.5

PURPOSE = (
    "Tells whether white blood cells look like acute lymphoblastic leukemia (ALL) or normal. Drop in images "
    "of single cells or photographs of a smear, or press **Try sample cells**."
)
DRAWN = (
    "Cells marked *synthetic drawing* were drawn by a program, not photographed. Their results only show "
    "how this page works and have no clinical meaning."
)
TRAINED_ON_REAL = " The model was trained on real cells only: it should refuse them."
REPLACED = "The model was replaced while this page was open. Drop the images in again to see its answers."


def main() -> None:
    """Lay out the page; then classify a few of the waiting images and lay it out again."""
    make_case.open_made()
    classifier = model_in_service.classifier()
    batch = _batch(classifier)
    heading.show("Classify cells", PURPOSE)
    model_panel.warnings(classifier.bundle)
    if notice := model_in_service.notice():
        st.warning(plain(notice), icon=":material/warning:")
    with st.sidebar:
        answered = (result.answer.probability for result in batch.results)
        point = model_panel.panel(classifier, [value for value in answered if value is not None])
    _intake(batch)
    late_uploads.take(batch)
    scale_question.show(session.of_session, classifier.bundle.pixel_size)
    st.caption(model_panel.line(classifier, point))
    progress = _progress(batch)
    answers_on_record.keep(batch.final, classifier.bundle, point)
    if batch.results:
        _answers(batch, point, classifier)
    with st.expander("Model card"):
        card_text.show(classifier.bundle)
    if batch.waiting and not batch.stopped:
        _work(batch, classifier, progress)


def _batch(classifier: Classifier) -> Batch:
    state = st.session_state
    state.setdefault("round", 0)
    state.setdefault("listed", set())
    if state.get("answered_by", classifier.bundle.digest) != classifier.bundle.digest:
        _clear()
        st.warning(REPLACED)
    state.answered_by = classifier.bundle.digest
    return session.of_session()


def _intake(batch: Batch) -> None:
    with st.container(horizontal=True):
        given = st.file_uploader(
            f"Drop images of single cells or fields of a smear here. Up to {MAX_FILES} files at once.",
            type=[suffix.removeprefix(".") for suffix in reader.SUFFIXES],
            accept_multiple_files=True,
            key=_uploader(),
            on_change=_take_in,
            args=(_uploader(),),
        )
        with st.container(width="content"):
            st.button(
                "Try sample cells", icon=":material/biotech:", on_click=_take_real_cells, width="stretch"
            )
            st.button("Try drawn cells", icon=":material/draw:", on_click=_take_drawings, width="stretch")
            st.button(
                "Clear", icon=":material/delete:", on_click=_clear, disabled=not len(batch), width="stretch"
            )
    upload_list.one_stop()
    if not given:
        # A page that was left and entered again has an empty list of files: the answers stay.
        st.session_state.listed = set()
    if batch.refused:
        st.warning(
            f"At most {MAX_FILES} files can be classified at once: the last {batch.refused:,} are left out. "
            "Press Clear, then drop them in on their own."
        )


def _take_in(uploader: str) -> None:
    """Make the batch hold what the uploader lists: newcomers wait, what was taken away is forgotten."""
    state = st.session_state
    if uploader != _uploader():
        return  # Clear was pressed in the same moment: late_uploads finds what is new
    files = state[uploader]
    now = {file.file_id for file in files}
    state.batch.remove(state.listed - now)
    state.batch.add(
        Item(file.file_id, Source(disk.shown(file.name), file.getvalue))
        for file in files
        if not disk.is_hidden(PurePosixPath(file.name))
    )
    state.listed = now


def _take_real_cells() -> None:
    st.session_state.batch.add(sample_cells.items())


def _take_drawings() -> None:
    st.session_state.batch.add(
        Item(f"drawn {name}", Source(name, lambda data=data: data, scale=NATIVE), drawn=True)
        for name, data in sample_writer.sample_cells(DRAWINGS, seed=0)
    )


def _clear() -> None:
    state = st.session_state
    streamlit_internals.drop_uploads(state.listed & late_uploads.seen())
    session.start_anew()
    state.listed, state.round = set(), state.round + 1
    late_uploads.watch()


def _uploader() -> str:
    return f"uploader-{st.session_state.round}"


def _progress(batch: Batch) -> DeltaGenerator | None:
    """Show how far the batch is, with a button to stop or to resume; return the bar."""
    if not batch.waiting:
        return None
    bar = st.progress(0.0)
    if batch.stopped:
        st.button(f"Resume with {batch.waiting} left", icon=":material/play_arrow:", on_click=batch.resume)
    else:
        st.button("Stop classifying", icon=":material/stop:", type="primary", on_click=batch.stop)
    _show_progress(bar, batch)
    return bar


def _show_progress(bar: DeltaGenerator, batch: Batch) -> None:
    done = len(batch) - batch.waiting
    text = f"{done:,} of {len(batch):,} classified"
    if batch.stopped:
        text = f"Stopped: {text}"
    elif batch.remaining is not None:
        text += f", about {max(1, round(batch.remaining)):,} s left"
    bar.progress(done / len(batch), text)


def _answers(batch: Batch, point: OperatingPoint, classifier: Classifier) -> None:
    results = batch.results
    known = model_in_service.learned_from(classifier.bundle)
    st.subheader(_summary(results, point))
    if said := _learned(results, point, known):
        st.warning(said, icon=":material/school:")
    if said := untold((result.answer for result in results), known):
        st.caption(said)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        view = st.segmented_control(
            "Show", views.views(point), default=views.EVERYTHING, required=True, key="view"
        )
        _download(batch, point, classifier, known)
        if not batch.waiting:
            make_case.show(batch, classifier.bundle, point)
    if said := sample_cells.credit([result.answer.image_id for result in results]):
        st.info(said, icon=":material/biotech:")
    if any(result.drawn for result in results):
        st.info(DRAWN + TRAINED_ON_REAL * (not classifier.bundle.synthetic), icon=":material/draw:")
    answers.show(batch, view, point, known, classifier.bundle)


def _summary(results: list[Result], point: OperatingPoint) -> str:
    return decisions.counted(decisions.count((result.answer for result in results), point))


def _learned(results: list[Result], point: OperatingPoint, known: Learned) -> str:
    """How many of the cells the model learned from, and what it said of them before; empty for none."""
    image_ids = (result.answer.image_id for result in results)
    number, said = decisions.learned_from(image_ids, point, known)
    return f"**The model learned from {number:,} of these {len(results):,} images.** {said}" if number else ""


def _download(batch: Batch, point: OperatingPoint, classifier: Classifier, known: Learned) -> None:
    results = batch.results
    ordered = views.readable(results, point) + views.unreadable(results)
    st.download_button(
        "Download CSV",
        decisions.to_csv((result.answer for result in ordered), point, classifier.bundle, known),
        file_name="cells.csv",
        mime="text/csv",
        icon=":material/download:",
        # The limits may have been moved since the answers were given.
        on_click=answers_on_record.keep_as_called,
        args=(answers_on_record.of_session(), batch.final, classifier.bundle, point),
    )


def _work(batch: Batch, classifier: Classifier, bar: DeltaGenerator) -> None:
    first = not batch.results
    until = time.monotonic() + (0.0 if first else REDRAW)
    while batch.waiting:
        # Where the progress is shown, Streamlit interrupts when a button was pressed; results so far stay.
        done = batch.work(
            classifier, batches.FIRST if first else batches.CHUNK, lambda: _show_progress(bar, batch)
        )
        streamlit_internals.drop_uploads(done)
        _show_progress(bar, batch)
        if time.monotonic() >= until:
            break
    st.rerun()


entry.enter()
main()
