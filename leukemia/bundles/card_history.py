"""The sections of a model card on what became of the version since it was trained."""

from leukemia.bundles import schema
from leukemia.bundles.site import Site
from leukemia.classes import ALL, NORMAL
from leukemia.counting import counted
from leukemia.evaluation.formatting import interval
from leukemia.markdown import plain


def changes(record: schema.Record) -> str:
    """Every change of threshold and limits: when, by whom, why."""
    lines = "\n".join(
        f"- {change.at}, {plain(change.who)}: {change.old:.4f} → {change.new:.4f}{_limits(change)}, "
        f"{plain(change.chosen)}. {plain(change.reason)} (Made from "
        f"{plain(change.source)}.)"
        for change in record.changes
    )
    same = (
        " It was chosen on the same patients as the metrics, so expect slightly worse results on new "
        "patients."
    ) * record.threshold.chosen_on.startswith(schema.ON_ITS_OWN_TEST)
    return f"{lines}\n\nThe figures in this card are at the latest threshold and limits.{same}"


def _limits(change: schema.Change) -> str:
    old, new = change.limits_old, change.limits_new
    if not (old and new):
        return ""
    return f" (limits {old.low:.4f} and {old.high:.4f} → {new.low:.4f} and {new.high:.4f})"


def site(site: Site) -> str:
    """For which laboratory the version was accepted, on which cells, by whom."""
    own = site.threshold_new != site.threshold_old
    criterion = site.criterion
    rows = "\n".join(
        f"| {name} | {interval(estimate)} | {_least(site, name)} |"
        for name, estimate in site.estimates.items()
    )
    how = (
        f"the laboratory's own threshold, {site.threshold_new:.4f} in place of {site.threshold_old:.4f}. "
        "Sensitivity and specificity are of patients left out in turn"
        if own
        else f"the version's own threshold, {site.threshold_old:.4f}"
    )
    silent = sum(site.unanswered.values())
    return (
        f"Accepted for **{plain(site.name)}** by {plain(site.who)}, {site.at}: {plain(site.reason)}\n\n"
        f"On {sum(site.cells.values()):,} cells of {site.patient_groups.get(ALL, 0)} patient groups with ALL "
        f"cells and {site.patient_groups.get(NORMAL, 0)} with normal cells, at {how}. Each patient weighs "
        "the same. "
        f"{silent:,} cells were not answered.\n\n"
        f"| metric | value (95%) | lower bound ({criterion.confidence:.0%}) and the least accepted |\n"
        f"|---|---|---|\n{rows}\n\n"
        f"The criterion was stated by {plain(criterion.stated_by)} on {criterion.stated_at}, before the "
        f"cells were classified (verification {plain(site.verification)})."
        + f" Some of the cells had been classified in {counted(site.earlier, 'earlier verification')}, "
        "so that their results may have been known."
        * bool(site.earlier)
        + " It says nothing about other laboratories."
    )


def _least(site: Site, name: str) -> str:
    if name not in site.lower_bounds:
        return ""
    return f"{site.lower_bounds[name]:.3f}, at least {getattr(site.criterion, name):.3f}"
