"""What is trained: a recipe, a split, a seed. All that decides a training's result."""

import shutil
import subprocess
from dataclasses import asdict, dataclass
from typing import Any

from leukemia import settings
from leukemia.networks.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """All that decides a training's result.

    Attributes
    ----------
    recipe : Recipe
    split : str
        One of :data:`splits.SPLITS`; or ``"fold"`` or ``"source"``: there is no validation part, and all
        epochs run.
    seed : int
    target_recall : float
        For the threshold.
    fold : int
        Of the split by folds: the one that is held out; -1 to learn from all.
    folds : int
        How many there are.
    sources : tuple of str
        Of the split by sources: those that are held out.
    """

    recipe: Recipe
    split: str = "patient"
    seed: int = 0
    target_recall: float = 0.95
    fold: int = -1
    folds: int = 5
    sources: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """What decides the result, but for the fold: flat, as MLflow and checkpoints name a training."""
        return {
            "recipe": self.recipe.name,
            "crop": self.recipe.crop,
            "split": self.split,
            "seed": self.seed,
            "target_recall": self.target_recall,
            **asdict(self.recipe.training),
            **({"held_out": "+".join(self.sources)} if self.sources else {}),
        }


def provenance(data_fingerprint: str) -> dict[str, str]:
    """What a run's record says of where it comes from: the data, and the program's revision."""
    return {"data_fingerprint": data_fingerprint, "git_revision": _revision()}


def _revision() -> str:
    """Ask git for the program's revision, short; ``"unknown"`` outside of a repository."""
    git = shutil.which("git")
    if not git:
        return "unknown"
    out = subprocess.run(
        [git, "rev-parse", "--short", "HEAD"],
        cwd=settings.PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return out.stdout.strip() or "unknown"
