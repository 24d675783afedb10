"""What can be wrong with the set: each check with its meaning and what was done about it."""

import base64
from functools import partial
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import jobs, settings
from leukemia.bundles.bundle import Bundle
from leukemia.dataset import label_log, manifest
from leukemia.dataset.catalog import manifest_parquet
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.quality import checks, damage, file_checks, near_duplicates
from leukemia.dataset.quality.checks import NOTE, OK, PROBLEM, UNKNOWN, Check
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain
from pages.components import flash, job_status
from pages.sections.dataset import address, cell_detail, grid, resources

KIND, TITLE = JobKind.SIMILAR, "Scan of all images"
STYLE = Path(__file__).with_name("pairs.css")
ICONS = {OK: "check_circle", NOTE: "info", PROBLEM: "error", UNKNOWN: "pending"}
# One check's level in words, and that of several.
WORDS = {
    OK: ("passed", "passed"),
    NOTE: ("note", "notes"),
    PROBLEM: ("problem", "problems"),
    UNKNOWN: ("not checked yet", "not checked yet"),
}
PAIRS, CARDS, ROWS = 12, 24, 200
OPEN, AMONG = "check-open-", "check-opened-among"
# Seconds for which files on disk are not checked again.
FRESH = 60.0


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    data = Path(data).resolve()
    resources.catalog(data)  # raises where the folder is not prepared
    bundle, why = resources.model()
    stamp = (manifest_parquet.stamp(data), label_log.stamp(data))
    cells = _cells(data, stamp)
    flash.show(job_status.FLASH)
    scan = _scan_or_start(data, cells)
    model = bundle.identity if bundle else why
    first, *rest = _all(
        data, (*stamp, scan is not None, damage.verified(data, cells)), model, cells, scan, bundle
    )
    _headline(first)
    if first.level == OK and any(one.name == "near" and one.level == PROBLEM for one in rest):
        st.warning(
            "This covers patients' names and identical images. Near-identical images suggest that two "
            "names in different subsets may be the same person: see below.",
            icon=":material/warning:",
        )
    _summary(rest)
    order = (PROBLEM, NOTE, UNKNOWN, OK)
    for check in sorted(rest, key=lambda one: order.index(one.level)):
        _one(data, check)
    if address.cell():
        cell_detail.show(data, st.session_state.get(AMONG, []))


# Rows of the manifest, no image; one at a time, as the catalog.
@st.cache_resource(max_entries=1, show_spinner="Reading the manifest …")
def _cells(data: Path, stamp: tuple[object, ...]) -> pd.DataFrame:
    return label_log.apply(data, manifest.read(data))


@st.cache_resource(max_entries=1, show_spinner="Checking the set …", ttl=FRESH)
def _all(
    data: Path,
    stamp: tuple[object, ...],
    model: str,
    _cells: pd.DataFrame,
    _scan: near_duplicates.Scan | None,
    _bundle: Bundle | None,
) -> list[Check]:
    from leukemia.evaluation import label_issues

    labelled = _cells[_cells["label"] != ""]
    assignment, whose = _split(labelled, _bundle)
    return [
        checks.split(labelled, assignment, whose),
        label_issues.check(
            _cells,
            _bundle.predictions,
            threshold=_bundle.threshold,
            model=_bundle.name,
            leaky=_bundle.leaky,
        )
        if _bundle
        else label_issues.without_model(model),
        checks.near_identical(_cells, _scan, assignment),
        checks.identical(_cells),
        checks.tied(_cells),
        checks.two_labels(_cells),
        *file_checks.files(data, _cells, file_checks.read_report(data)),
        *file_checks.frames(_cells, _scan),
        file_checks.damaged(damage.glance(data, _cells, workers=settings.load().workers)),
    ]


def _split(labelled: pd.DataFrame, bundle: Bundle | None) -> tuple[pd.Series, str]:
    """The split of the model in service where it is one of this set; else the one of seed 0."""
    if bundle is not None and bundle.synthetic == bool((labelled["source"] == "synthetic").all()):
        if bundle.folds:
            own = checks.fold_by_image(labelled, bundle.predictions)
            whose = f"the {bundle.folds} folds used to evaluate {bundle.name}"
        else:
            parts = bundle.record.split.groups()
            own = checks.subset_by_group(labelled, parts)
            whose = f"the split of the model in service ({bundle.name})"
        if own.notna().any():
            return own, whose
    return checks.default_split(labelled), "the split that a training with seed 0 would use"


def _scan_or_start(data: Path, cells: pd.DataFrame) -> near_duplicates.Scan | None:
    """The scan of all images; where there was none, one is started once."""
    job = jobs.latest(data, KIND)
    state = jobs.state(job) if job else None
    if cached := near_duplicates.cached(data, cells):
        if state and state.active:
            job_status.follow(job)
        return cached
    if state is None or state.status == JobStatus.DONE:
        _start(data)
        flash.show(job_status.FLASH)
        job = jobs.latest(data, KIND)
        state = jobs.state(job) if job else None
    if state and state.active:
        st.markdown("Searching for **near-identical images and cut-off cells**:")
        job_status.follow(job)
    elif state and state.status != JobStatus.DONE:
        job_status.ended(job, state, resume="Scan again")
    return None


def _start(data: Path) -> None:
    job_status.start(data, KIND, TITLE, ["check", "--data", str(data)])


def _headline(check: Check) -> None:
    if check.level == OK:
        st.success(f"**{plain(check.title)}.** {plain(check.finding)}", icon=":material/verified:")
    elif check.level == PROBLEM:
        st.error(f"**Patients in more than one subset.** {plain(check.finding)}", icon=":material/error:")
    else:
        st.info(f"**{plain(check.title)}: not checked.** {plain(check.finding)}", icon=":material/help:")
    st.caption(f"{plain(check.meaning)} {plain(check.action)}")


def _summary(results: list[Check]) -> None:
    counts = {level: sum(check.level == level for check in results) for level in WORDS}
    st.markdown(
        " · ".join(f"**{count}** {WORDS[level][count > 1]}" for level, count in counts.items() if count)
    )


def _one(data: Path, check: Check) -> None:
    label = f"**{plain(check.title)}**: {WORDS[check.level][0]}"
    box = st.expander(
        label,
        icon=f":material/{ICONS[check.level]}:",
        expanded=check.level == PROBLEM,
        key=f"{OPEN}{check.name}",
        on_change="rerun",
    )
    with box:
        st.markdown(plain(check.finding))
        st.caption(f"**What it means.** {plain(check.meaning)}")
        if check.action:
            st.caption(f"**What was done.** {plain(check.action)}")
        if check.name == file_checks.DAMAGED and check.level == UNKNOWN:
            st.button("Read all images", icon=":material/search_check:", on_click=_start, args=(data,))
        # Pictures of all checks at once are too much for a browser beside a training.
        if check.rows.empty or not box.open:
            return
        if "first" in check.rows:
            _pairs(data, check)
        elif "path" in check.rows:
            _images(data, check)
        else:
            st.dataframe(check.rows.head(ROWS), hide_index=True)
            if len(check.rows) > ROWS:
                st.caption(f"The first {ROWS} of {len(check.rows):,}.")


def _page(check: Check, size: int) -> pd.DataFrame:
    """The rows on the current page."""
    pages = -(-len(check.rows) // size)
    number = st.pagination(pages, key=f"check-{check.name}") if pages > 1 else 1
    return check.rows.iloc[(number - 1) * size : number * size]


def _pairs(data: Path, check: Check) -> None:
    """Two images side by side, with their patients."""
    rows = _page(check, PAIRS)
    ids = _ids(data)
    names = [path for path in (*rows["first"], *rows["second"]) if path in ids]
    by_id = Thumbnails(data).get((ids[path], path) for path in names)
    pictures = {path: by_id[ids[path]] for path in names if ids[path] in by_id}
    cards = "".join(_pair(row, pictures) for row in rows.to_dict("records"))
    st.html(STYLE)
    st.html(f'<div class="pairs" role="list" aria-label="{escape(check.title)}">{cards}</div>')


def _pair(row: dict[str, object], pictures: dict[str, bytes]) -> str:
    shown = ""
    for path in (row["first"], row["second"]):
        picture = base64.b64encode(pictures.get(path, b"")).decode("ascii")
        image = f'<img alt="" src="data:image/jpeg;base64,{picture}">' if picture else "<i>unreadable</i>"
        name = escape(Path(str(path)).stem)
        shown += f'<figure>{image}<figcaption title="{escape(str(path))}">{name}</figcaption></figure>'
    flags = [
        word
        for name, word in (("two_subsets", "in two subsets"), ("two_groups", "two patient groups"))
        if row.get(name)
    ]
    marks = "".join(f"<b>✗ {word}</b>" for word in flags[:1])
    return (
        f'<div class="pair" role="listitem"><div class="two">{shown}</div>'
        f"<p>Patient {escape(str(row['patients']) or 'not known')} · {escape(str(row['labels']))} · "
        f"similarity: {escape(str(row['alike']))}</p>{marks}</div>"
    )


def _images(data: Path, check: Check) -> None:
    """Single images as the gallery shows them; a click opens one."""
    rows = _page(check, CARDS)
    catalog = resources.catalog(data)
    ids = _ids(data)
    wanted = [ids[path] for path in rows["path"] if path in ids]
    by_path = {record.path: record for record in catalog.page(Filters(images=tuple(wanted)), size=4 * CARDS)}
    records = [by_path[path] for path in rows["path"] if path in by_path]
    grid.show(
        data,
        records,
        key=f"check-{check.name}-grid",
        spoken=check.title,
        on_open=partial(_open, [ids[path] for path in check.rows["path"] if path in ids]),
    )
    if check.name == "suspects":
        st.caption("Most suspect first. Click a cell to open it, correct its label or mark it as doubted.")


def _open(among: list[str], image_id: str) -> None:
    """Open a cell; the arrows then step through all that its check lists."""
    st.session_state[AMONG] = among
    cell_detail.open_it(image_id)


def _ids(data: Path) -> dict[str, str]:
    """Path to image_id."""
    return _named(data, (manifest_parquet.stamp(data), label_log.stamp(data)))


@st.cache_resource(max_entries=1, show_spinner=False)
def _named(data: Path, stamp: tuple[object, ...]) -> dict[str, str]:
    cells = _cells(data, stamp)
    return dict(zip(cells["path"], cells["image_id"], strict=True))
