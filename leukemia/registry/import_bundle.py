"""A bundle that no training here has just made becomes a model version.

It was made elsewhere, or it is another version with another threshold. Either way it gets a run of its
own, which says where it is from, and the registry has it as a whole or not at all.
"""

from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.errors import RegistryError
from leukemia.registry import versions
from leukemia.tracking import mlflow_client, run_writer


def bring(data: Path, bundle: Bundle) -> run_writer.Run:
    """Make a bundle a model version; return its run, whose ``version`` is the number.

    Parameters
    ----------
    data : Path
        The data folder; made where there is none yet.
    bundle : Bundle
        As it was read; the registry keeps a copy.

    Raises
    ------
    RegistryError
        Where the registry cannot be asked, or did not take it: neither a run nor a version is left.
    """
    # It says soon and in plain words why it cannot be asked; MLflow itself takes its time.
    versions.ask(data)
    if database := mlflow_client.database(data):
        with mlflow_client.asked("The registry of model versions cannot be made"):
            database.parent.mkdir(parents=True, exist_ok=True)
    change = versions.last_change(bundle)
    run = run_writer.start(
        data,
        f"{bundle.recipe} (threshold {bundle.threshold:.4f})"
        if change
        else f"{bundle.recipe} (a bundle from elsewhere)",
        _settings(bundle),
        {"data_fingerprint": bundle.record["data"]["fingerprint"]} | _told(change),
        kind=run_writer.THRESHOLD if change else run_writer.BROUGHT,
    )
    run.finish(bundle.estimates, bundle.folder)
    if run.version is None:
        run.drop()
        raise RegistryError(f"The registry did not take the bundle: {run.trouble.rstrip('.')}.")
    return run


def _settings(bundle: Bundle) -> dict[str, object]:
    record = bundle.record
    return {
        "recipe": bundle.recipe,
        "split": record["split"]["by"],
        **record["recipe"].get("training", {}),
    }


def _told(change: dict[str, str]) -> dict[str, str]:
    """Tags of the run: who chose the threshold counts as who started it."""
    return change | {run_writer.USER: change[versions.CHANGED_BY]} if change else {}
