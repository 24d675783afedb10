"""What to notice in the curves of a training, in a sentence reckoned from them."""

import math
from collections.abc import Sequence

History = Sequence[dict[str, float]]
# Epochs after the best one from which on a rise is no chance.
LATER = 2
# Shares that differ by less are called alike.
ALIKE = 0.05


def loss(history: History, step: dict[str, float]) -> str:
    """Whether it still gets better on patients that were held out."""
    if any(not math.isfinite(one["loss"]) for one in (*history, step) if "loss" in one):
        return (
            "The loss is not a number any more: the training has gone astray. Cancel it and take a lower "
            "learning rate."
        )
    if not history:
        return "The first epoch is under way: the loss should fall within it."
    held_out = [one["val_loss"] for one in history if "val_loss" in one]
    if len(held_out) != len(history):
        return (
            "Nobody is held out for validation here: the loss on the training patients falls whether or not "
            "the network gets better on others. Those are judged at the end."
        )
    best = min(range(len(held_out)), key=held_out.__getitem__)
    told = f"Validation loss was lowest in epoch {best + 1} ({held_out[best]:.3f})"
    behind = len(held_out) - 1 - best
    if behind >= LATER and history[-1]["loss"] < history[best]["loss"]:
        return (
            f"{told} and is {held_out[-1]:.3f} now, while training loss falls on: what is learned since then "
            "holds for the training patients alone. The best epoch is kept, not the last."
        )
    if behind == 0 and len(held_out) > 1:
        return f"{told}, the last one: it still gets better on patients that it does not learn from."
    return f"{told}. The epoch that is best on patients held out is kept, not the last."


def rates(history: History) -> str:
    """How recall and specificity stand to each other, and training to validation."""
    if not history:
        return "Recall is the share of ALL cells that are found; specificity, of normal cells left alone."
    last = history[-1]
    whose, start = ("validation", "val_") if "val_recall" in last else ("training", "")
    recall, specificity = last.get(f"{start}recall"), last.get(f"{start}specificity")
    if recall is None or specificity is None:
        return "Recall is the share of ALL cells that are found; specificity, of normal cells left alone."
    told = (
        f"After epoch {len(history)}, {recall:.0%} of the {whose} ALL cells are found and {specificity:.0%} "
        "of the normal ones left alone, at a threshold of one half."
    )
    gap = last.get("recall", recall) + last.get("specificity", specificity) - recall - specificity
    if start and gap / 2 > ALIKE:
        better = f"{50 * gap:.0f} points better"
        return f"{told} On the training patients it is {better} on average: that much is known by heart."
    return f"{told} The threshold is chosen at the end."
