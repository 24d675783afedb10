"""Every path below the data folder, said once."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """The data folder and what lies where in it; asking for a path makes none.

    Parameters
    ----------
    data : Path or str
        The data folder, see :mod:`leukemia.settings`.
    """

    data: Path

    def __init__(self, data: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "data", Path(data))

    # The prepared set.

    @property
    def manifest(self) -> Path:
        """One row an image."""
        return self.data / "manifest.csv"

    @property
    def corrections(self) -> Path:
        """Corrected labels as earlier programs kept them; read once, into the records."""
        return self.data / "corrections.db"

    @property
    def import_report(self) -> Path:
        """What the last import read and refused."""
        return self.data / "report.json"

    @property
    def import_report_text(self) -> Path:
        """The same for a reader."""
        return self.data / "report.txt"

    @property
    def staging(self) -> Path:
        """What an import has read and not yet put in place."""
        return self.data / ".prepare"

    # The records.

    @property
    def records(self) -> Path:
        """Cases, verdicts, corrected labels and the trail, in SQLite, where no server is set."""
        return self.data / "records.db"

    @property
    def review_labels(self) -> Path:
        """Verdicts of signed cases as rows of a manifest; the cells' pictures lie beside it."""
        return self.data / "review" / "labels.csv"

    @property
    def fields(self) -> Path:
        """All pixels of the fields of cases, without loss, each called after its pixels."""
        return self.data / "fields"

    @property
    def restoring(self) -> Path:
        """What a restore has not yet put in place; left behind where it was killed."""
        return self.data / ".restoring"

    # Who may come in.

    @property
    def access_token(self) -> Path:
        """What the dashboard's address carries where nobody signs in; only its own account can read it."""
        return self.data / ".access-token"

    # What can be computed again.

    @property
    def cache(self) -> Path:
        """Anything in here may be deleted."""
        return self.data / "cache"

    @property
    def catalog(self) -> Path:
        """The manifest as Parquet."""
        return self.cache / "catalog.parquet"

    @property
    def brightness(self) -> Path:
        """Folder of the measured brightness of cells."""
        return self.cache / "brightness"

    @property
    def thumbnails(self) -> Path:
        """Small pictures of cells, in SQLite."""
        return self.cache / "thumbnails" / "thumbnails.sqlite"

    @property
    def waiting_fields(self) -> Path:
        """Fields that people have open, a folder a session; each goes with its session."""
        return self.cache / "fields"

    # Whole slides.

    @property
    def slides(self) -> Path:
        """Where a laboratory puts its slides for the page Cases."""
        return self.data / "slides"

    @property
    def slide_searches(self) -> Path:
        """How far the searches of slides for cases are, in SQLite."""
        return self.data / "slide-searches"

    # Jobs and trainings.

    @property
    def jobs(self) -> Path:
        """One folder a job."""
        return self.data / "jobs"

    @property
    def queue(self) -> Path:
        """The trainings that wait."""
        return self.jobs / "queue.json"

    @property
    def checkpoints(self) -> Path:
        """Where trainings that were interrupted resume from."""
        return self.data / "checkpoints"

    @property
    def crossvalidation(self) -> Path:
        """Folds that are finished, while the others are trained."""
        return self.data / "crossvalidation"

    @property
    def sweeps(self) -> Path:
        """Sweeps' trials."""
        return self.data / "sweeps"

    @property
    def sweep_studies(self) -> Path:
        """What Optuna knows of the trials, in SQLite."""
        return self.sweeps / "studies.db"

    # Runs and model versions.

    @property
    def mlflow_db(self) -> Path:
        """MLflow's database, where no server is set."""
        return self.data / "mlflow.db"

    @property
    def mlruns(self) -> Path:
        """MLflow's artifacts, where no server is set."""
        return self.data / "mlruns"

    @property
    def serving(self) -> Path:
        """Model versions' bundles, as they were fetched from the registry."""
        return self.data / "serving"

    @property
    def verifications(self) -> Path:
        """One folder a verification on a laboratory's own patients."""
        return self.data / "verifications"

    @property
    def unregistered(self) -> Path:
        """Bundles that the registry has not taken (yet)."""
        return self.data / "unregistered"
