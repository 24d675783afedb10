"""What to notice in each chart of the overview, in a sentence reckoned from the set at hand."""

import pandas as pd

from leukemia.dataset.catalog import summary
from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import UNKNOWN
from leukemia.dataset.catalog.summary import ImagesPerPatient
from leukemia.markdown import plain

LITTLE = 0.03  # medians that differ by less than this share are called alike


def images(catalog: Catalog) -> str:
    """How the classes' images stand to each other."""
    tally = catalog.tally()
    if not tally.all or not tally.normal:
        return "Only one class is labelled: nothing can be learned from this set."
    many, few = ("ALL", "Normal") if tally.all >= tally.normal else ("Normal", "ALL")
    ratio = max(tally.all, tally.normal) / min(tally.all, tally.normal)
    always = max(tally.all, tally.normal) / (tally.all + tally.normal)
    return (
        f"{ratio:.1f} {many} images for each {few} one: whoever always answers {many} is right on "
        f"{always:.0%} of the labelled images without having looked."
    )


def patients(sources: pd.DataFrame) -> str:
    """Where the fewest patients of a class are."""
    rows = sources[sources["label"] != ""]
    if rows.empty:
        return "No image is labelled."
    least = rows.sort_values(["patients", "source"], kind="stable").iloc[0]
    count = least["patients"]
    return (
        f"A model is judged on patients, not on images, and there are few of them: {plain(least['source'])} "
        f"has only {count} {'patient' if count == 1 else 'patients'} labelled {least['label']}."
    )


def tail(found: ImagesPerPatient) -> str:
    """How uneven the patients' shares are."""
    count = found.patients["patient"].nunique()
    return (
        f"The {found.tenth} of {count:,} patients with most images (up to {found.most:,} each) hold "
        f"{found.share:.0%} of all labelled ones; the middle patient has {found.median:,.0f}. A figure over "
        "images is mostly a figure on the patients at the left."
    )


def split(parts: pd.DataFrame) -> str:
    """How large the parts are, and whether the classes' balance differs between them."""
    known = parts[parts["subset"] != UNKNOWN]
    each = known.groupby("subset", sort=False)["images"].sum()
    blasts = known[known["label"] == "ALL"].groupby("subset")["images"].sum()
    blasts = blasts.reindex(each.index, fill_value=0)
    shares = blasts / each
    listed = ", ".join(f"{part} {count:,}" for part, count in each.items())
    return (
        f"Images: {listed}; ALL are {shares.min():.0%} to {shares.max():.0%} of a part's images. Whole "
        "patients are assigned, so that the balance cannot be set at will."
    )


def sides(twice: int, groups: int) -> str:
    """Whether the split is by patient."""
    if twice:
        return f"{twice:,} of {groups:,} patient groups stand in more than one part: the split leaks."
    return f"Checked: none of the {groups:,} patient groups stands in more than one part."


def sizes(catalog: Catalog) -> str:
    """Whether blasts are larger here, by the patient groups' medians."""
    return _compared(summary.group_medians(catalog, "cell_area"), "larger", "smaller", "frame pixels", ",.0f")


def brightness(catalog: Catalog) -> str:
    """Whether one class is brighter, by the patient groups' medians."""
    found = summary.group_medians(catalog, "brightness")
    sentence = _compared(found, "brighter", "darker", "of 255", ".1f")
    return f"{sentence} Where a class can be told by brightness, a model may learn the stain, not the cell."


def size_by_source(boxes: pd.DataFrame) -> str:
    """How far a class's median cell differs between sources with at least a hundred cells of it."""
    told = []
    for label, rows in boxes[boxes["cells"] >= 100].groupby("label", sort=False):
        if len(rows) > 1:
            low, high = rows.loc[rows["median"].idxmin()], rows.loc[rows["median"].idxmax()]
            told.append(
                f"{label} from {low['median']:,.0f} ({plain(low['source'])}) to {high['median']:,.0f} "
                f"({plain(high['source'])})"
            )
    if not told:
        return "Too few sources with a hundred cells of a class to compare."
    return (
        f"The median cell differs between sources (over cells): {'; '.join(told)} frame pixels. What holds "
        "for size in one source need not hold in another."
    )


def frames(found: pd.DataFrame) -> str:
    """Which frames there are, and that they need no rescaling."""
    each = found.groupby("frame", sort=False)["images"].sum().sort_values(ascending=False)
    total, first = int(each.sum()), each.index[0]
    if len(each) == 1:
        return f"All {total:,} frames measure {first} pixels."
    rest = total - int(each.iloc[0])
    return (
        f"{each.iloc[0]:,} of {total:,} frames measure {first} pixels, {rest:,} another size. Cells are cut "
        "out at native scale, never rescaled to one frame: size is part of what tells a blast."
    )


def _compared(typical: dict[str, tuple[float, int]], more: str, less: str, unit: str, form: str) -> str:
    if not {"ALL", "Normal"} <= typical.keys():
        return "Only one class is labelled: nothing to compare."
    (blast, of_blast), (normal, of_normal) = typical["ALL"], typical["Normal"]
    change = blast / normal - 1
    word = "about as large" if more == "larger" else "about as bright"
    verdict = f"{abs(change):.0%} {more if change > 0 else less}" if abs(change) >= LITTLE else word
    return (
        f"ALL cells are {verdict}{' than' if abs(change) >= LITTLE else ' as'} Normal ones: {blast:{form}} "
        f"against {normal:{form}} {unit}, medians over {of_blast} and {of_normal} patient groups."
    )
