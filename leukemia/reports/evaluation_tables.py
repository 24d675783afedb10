"""How bundles do, as text for the command line: one in full, or several side by side as Markdown tables."""

from collections.abc import Sequence

from leukemia import settings
from leukemia.bundles import model_card
from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.counting import counted
from leukemia.errors import DatasetError
from leukemia.evaluation import comparison, estimates, formatting, held_out, metrics, three_way
from leukemia.evaluation.breakdown import patients, source_words, sources, stress, subgroups
from leukemia.evaluation.out_of_fold import evaluate_mean
from leukemia.inference.scoring import Scored
from leukemia.operating_point import WORDS
from leukemia.reports import wording
from leukemia.settings import RESEARCH_USE

# Columns of :func:`fold_table`: what is estimated, and how it is called there.
FOLD_COLUMNS = {
    "auroc": "AUROC",
    "auroc_hard_sources": "AUROC, fold_2 and preliminary",
    "auroc_small": "AUROC, small cells",
    "auroc_middle": "AUROC, middle",
    "auroc_large": "AUROC, large",
    "best_weighted_f1": "best weighted F1",
    "sensitivity_at_specificity": "sensitivity at 80% specificity",
    "ece": "ECE",
    "best_accuracy_at_coverage": "accuracy at 80% coverage",
    "sensitivity": "sensitivity at the threshold",
    "specificity": "specificity",
}
SPLIT_COLUMNS = ("sensitivity", "specificity", "weighted_f1", "auroc")


def summary(scored: Scored) -> list[str]:
    """Give every estimate with its 95 % interval over patients, the confusion matrix, and what folds add."""
    bundle, predictions = scored.bundle, scored.predictions
    counts = metrics.confusion(predictions, bundle.threshold)
    by_cell = estimates.of(predictions, bundle.threshold)
    by_patient = estimates.of_patients(predictions, bundle.threshold)
    return [
        f"{bundle.name} on {scored.on}",
        f"{len(predictions):,} cells of {patients.count(predictions)}; {bundle.operating_point}",
        *([model_card.engine(bundle.record.engine)] if bundle.record.engine else []),
        *scored.notes,
        *_by_source(scored),
        "",
        f"At the threshold {bundle.threshold:.4f}, each cell called ALL-like or Normal-like:",
        f"{'metric':<18} {'by cell (95% over patients)':<30} by patient: mean probability",
        *(f"{name:<18} {by_cell[name]!s:<30} {by_patient[name]}" for name in by_cell),
        "",
        *_three_way(scored),
        "",
        f"If every cell had to be called, at the threshold {bundle.threshold:.4f}:",
        f"{'':<12} {'called ALL-like':>16} {'called Normal-like':>19}",
        f"{ALL:<12} {counts['tp']:>16,} {counts['fn']:>19,}",
        f"{NORMAL:<12} {counts['fp']:>16,} {counts['tn']:>19,}",
        *_of_folds(scored),
        "",
        RESEARCH_USE,
    ]


def _three_way(scored: Scored) -> list[str]:
    """What becomes of the cells of each class, as a table."""
    point = scored.bundle.operating_point
    counts = three_way.counts(scored.predictions, point)
    lines = [
        f"Decisions: {point} Cells and shares (95% over patients):",
        "",
        *_head("cells", *WORDS.values()),
    ]
    for unit, equal in (("cell", False), ("patient", True)):
        shares = three_way.evaluate(scored.predictions, point, equal=equal)
        for label, own in three_way.rows(shares).items():
            cells = ("" if equal else f"{counts[three_way.NAMES[label, call]]:,}: " for call in own)
            values = (formatting.interval(value, True) for value in own.values())
            lines.append(
                _row(f"{label}, {unit}s weighted equally", *map("".join, zip(cells, values, strict=True)))
            )
    return lines


def _by_source(scored: Scored) -> list[str]:
    """The worst source, where it falls short, and the table by source."""
    bundle, data = scored.bundle, settings.load().data
    figures = sources.evaluate(held_out.with_sources(data, scored.predictions), bundle.operating_point)
    if figures is None:
        return ["", source_words.UNKNOWN]
    band = bundle.record.indeterminate
    return [
        "",
        *source_words.lines(figures, bundle.record.threshold.target_recall, band),
        "",
        *_head(*source_words.HEADER),
        *(_row(*row) for row in source_words.table(figures)),
        *source_words.notes(figures),
        *(source_words.guarantees(figures, band) if band else []),
        *_unseen(scored),
    ]


def _unseen(scored: Scored) -> list[str]:
    figures = sources.evaluate_unseen(scored.predictions, scored.bundle.operating_point)
    if figures is None:
        return []
    return [
        "",
        source_words.unseen(figures),
        source_words.UNSEEN_ABOUT,
        "",
        *_head(*source_words.HEADER),
        *(_row(*row) for row in source_words.table(figures)),
    ]


def difference_tables(bundles: Sequence[Bundle]) -> list[str]:
    """Paired differences of each bundle from the first by source, as lines of Markdown tables."""
    data = settings.load().data
    first, *others = bundles
    lines = [*_different(bundles), "", source_words.PAIRED]
    for other in others:
        lines += ["", f"{other.name} ({other.folder.name}) less {first.name} ({first.folder.name}):", ""]
        try:
            frame = comparison.shared([held_out.with_sources(data, first.predictions), other.predictions])
            versions = comparison.cells_by_source(frame, 2)
        except DatasetError as error:
            lines.append(str(error))
            continue
        if not versions:
            lines.append(source_words.UNKNOWN)
            continue
        (against,) = comparison.by_source(versions, [first.operating_point, other.operating_point])
        lines += [
            *_head(*source_words.DIFFERENCES),
            *(_row(*row) for row in source_words.differences(against)),
        ]
        lines.append(
            comparison.on_shared(
                frame, [one.predictions for one in (first, other)], ["the first", "the other"]
            )
        )
    return lines


def _different(bundles: Sequence[Bundle]) -> list[str]:
    """Mark the table of bundles that were not evaluated on the same cells."""
    sets = [frozenset(one.predictions["image_id"]) for one in bundles]
    if len(set(sets)) == 1:
        return []
    counts = ", ".join(f"{one.folder.name} {len(cells):,}" for one, cells in zip(bundles, sets, strict=True))
    return [
        "",
        f"The rows above are of DIFFERENT PATIENTS (cells held out: {counts}) and cannot be compared. Below, "
        "the differences are on the cells that both held out.",
    ]


def fold_table(bundles: Sequence[Bundle], *, together: bool = False) -> list[str]:
    """Cross-validated bundles side by side, as lines of a Markdown table, in the order given.

    Parameters
    ----------
    bundles : sequence of Bundle
    together : bool, optional
        Whether a last row shows their mean; see :func:`leukemia.evaluation.out_of_fold.evaluate_mean`.
    """
    rows = [
        (f"{one.recipe}, {counted(one.record.views, 'view')}", one.predictions, one.threshold)
        for one in bundles
    ]
    if together:
        mean = evaluate_mean([one.predictions for one in bundles], [one.folder.name for one in bundles])
        rows.append((f"mean of these {len(bundles)}", mean.predictions, mean.threshold))
    lines = _head("recipe", *FOLD_COLUMNS.values(), "patient groups right")
    for name, predictions, threshold in rows:
        known = estimates.of(predictions, threshold) | subgroups.estimate(predictions, threshold)
        right = patients.table(predictions, threshold)["right"]
        lines.append(
            _row(name, *(known.get(key, "") for key in FOLD_COLUMNS), f"{right.sum()} of {len(right)}")
        )
    return lines


def split_table(bundles: Sequence[Bundle]) -> list[str]:
    """Several bundles of single splits side by side, as lines of a Markdown table, in the order given.

    The column on validation patients is what a choice between recipes may rest on; the others are
    on test patients, with 95 % intervals over patients.
    """
    lines = _head(
        "recipe",
        "split",
        "validation: sensitivity at 80% specificity",
        *SPLIT_COLUMNS,
        "patient groups right",
    )
    for bundle in bundles:
        record = bundle.record
        best = record.history[record.epochs.best - 1].get("val_recall_at_specificity")
        known = estimates.of(bundle.predictions, bundle.threshold)
        right = patients.table(bundle.predictions, bundle.threshold)["right"]
        lines.append(
            _row(
                bundle.recipe,
                f"{record.split.by}{' (leaky)' * bundle.leaky}",
                "–" if best is None else f"{best:.3f}",
                *(known[name] for name in SPLIT_COLUMNS),
                f"{right.sum()} of {len(right)}",
            )
        )
    return lines


def _of_folds(scored: Scored) -> list[str]:
    """What predictions of folds say beside: where the model is weak, and what it leaves open."""
    record, predictions = scored.bundle.record, scored.predictions
    if not record.split.folds or "cell_area" not in predictions:
        return []
    weak = subgroups.estimate(predictions, scored.bundle.threshold)
    right = patients.table(predictions, scored.bundle.threshold)["right"]
    lines = [
        "",
        *(f"{name:<28} {estimate!s:<26} {subgroups.MEANING[name]}" for name, estimate in weak.items()),
        "",
        f"Patient groups called correctly by the mean probability of their cells: {right.sum()} of "
        f"{len(right)}, at the threshold {scored.bundle.threshold:.4f}.",
        wording.patients_at_own_threshold(predictions),
    ]
    if record.indeterminate and (shares := record.indeterminate.out_of_fold):
        lines.append(
            "Limits found without each fold, checked on its patients (weighted equally): "
            f"{shares.missed:.1%} of ALL cells Normal-like, {shares.alarmed:.1%} of normal cells ALL-like, "
            f"{shares.indeterminate:.1%} of cells Indeterminate."
        )
    if record.stress:
        lines += ["", f"{stress.TITLE}: {stress.ABOUT}", "", *_head(*stress.HEADER)]
        lines += [*(_row(*row) for row in stress.table(record.stress)), ""]
    if record.novelty:
        share = record.novelty.passed_out_of_fold
        lines.append(f"{share:.1%} of cells are within the novelty limit set by other patients.")
    return lines


def _head(*names: str) -> list[str]:
    return [_row(*names), "|" + "---|" * len(names)]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
