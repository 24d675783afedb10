"""Which model versions there are to look at: the model in service, those registered, bundles beside it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError, RegistryError
from leukemia.registry import bundle_cache, versions

LABELS = ("Normal", "ALL")


@dataclass(frozen=True)
class Version:
    """One version: its bundle, or the sentence that says why it cannot be read.

    Attributes
    ----------
    folder : Path
        Where it lies, or will lie once it is fetched.
    bundle : Bundle or None
        None where it cannot be read, or is not fetched yet.
    problem : str
        Why it cannot be read; empty where it can, or nobody tried.
    number, run_id, recipe, aliases : int or None, str, str, tuple of str
        As the registry has it; None and empty where it does not.
    note : str
        What tells it from the version that it was made from; empty where it was trained.
    seal : str
        SHA-256 of its ``bundle.json``; empty where it has none.
    """

    folder: Path
    bundle: Bundle | None
    problem: str = ""
    number: int | None = None
    run_id: str = ""
    recipe: str = ""
    aliases: tuple[str, ...] = ()
    seal: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """What tells it from others on screen."""
        return self.folder.name if self.number is None else f"version {self.number}"

    def answers_to(self, word: str) -> bool:
        """Whether a word of an address names it: its folder or its number."""
        return word == self.folder.name or (self.number is not None and word == str(self.number))

    @property
    def word(self) -> str:
        """What names it in an address."""
        return self.folder.name if self.number is None else str(self.number)


def folders(model: Path) -> list[Path]:
    """Folders that hold a version: the model in service first, then others by name.

    Parameters
    ----------
    model : Path
        The folder of the model in service (:attr:`leukemia.settings.Settings.model`); it is named even
        where nothing lies there.
    """
    model = Path(model).resolve()
    found = {folder for place in (model.parent, model) for folder in _below(place)} - {model}
    return [model, *sorted(found)]


def read(folder: Path) -> Version:
    """Read one version; where it is broken, say so instead."""
    try:
        found = bundles.read(folder)
        _check(found)
    except BundleError as error:
        return Version(Path(folder), None, str(error))
    return Version(Path(folder), found, seal=bundles.checksum(found.folder / bundles.RECORD))


def registered(data: Path) -> list[Version]:
    """Versions of the registry, the newest first; none is fetched. Raises RegistryError."""
    out = []
    for one in versions.versions(data):
        seal = one.facts.get("seal", "")
        folder = bundle_cache.place(data, one.number, seal)
        told = (one.number, one.run_id, one.recipe, one.aliases, seal, _note(one.facts))
        out.append(Version(folder, None, "", *told))
    return out


def fetch(data: Path, version: Version) -> Version:
    """A registered version with its bundle, fetched to this machine; where that fails, it says why."""
    try:
        found = bundle_cache.fetch(data, version.number, version.run_id, version.seal)
        _check(found)
    except (RegistryError, BundleError) as error:
        return replace(version, problem=str(error))
    return replace(version, bundle=found, problem="")


def together(local: list[Version], listed: list[Version]) -> list[Version]:
    """What lies here and what is registered, each once.

    Parameters
    ----------
    local : list of Version
        Bundles that lie here, the model in service first.
    listed : list of Version
        Those of the registry.

    Returns
    -------
    list of Version
        The first of ``local``, then what is registered, then the others. A bundle that is registered
        bears its number.
    """
    by_seal = {one.seal: one for one in reversed(listed) if one.seal}
    out, seen = [], set()
    for one in local:
        known = by_seal.get(one.seal)
        if known is None:
            out.append(one)
        elif known.number not in seen:
            seen.add(known.number)
            told = {name: getattr(known, name) for name in ("number", "run_id", "recipe", "aliases", "note")}
            out.append(replace(one, **told))
    return [*out[:1], *(one for one in listed if one.number not in seen), *out[1:]]


def stamp(folder: Path) -> tuple[object, ...]:
    """Tell one state of a version's files from another, at no cost."""
    out: list[object] = []
    for name in (bundles.RECORD, *bundles.CHECKED):
        try:
            found = (folder / name).stat()
        except OSError:
            out.append(None)
        else:
            out.append((found.st_mtime_ns, found.st_size))
    return tuple(out)


def _note(facts: dict[str, str]) -> str:
    if versions.MADE_FROM not in facts:
        return ""
    return f"threshold {float(facts['threshold']):.4f}, from {facts[versions.MADE_FROM]}"


def _below(place: Path) -> list[Path]:
    try:
        inside = [path for path in place.iterdir() if not path.name.startswith(".") and path.is_dir()]
    except OSError:
        return []
    # One of the two tells a bundle that lost a file from a folder that never was one.
    marks = (bundles.RECORD, bundles.NETWORK)
    return [path for path in inside if any((path / mark).is_file() for mark in marks)]


def _check(found: Bundle) -> None:
    place = found.folder / bundles.PREDICTIONS
    try:
        predictions = found.predictions
    except (OSError, ValueError) as error:
        raise BundleError(f"{place} cannot be read.") from error
    missing = [name for name in bundles.PREDICTION_COLUMNS if name not in predictions]
    if missing:
        raise BundleError(f"{place} lacks the column(s) {', '.join(missing)}.")
    probability = predictions["probability"]
    numbers = np.issubdtype(probability.dtype, np.number) and probability.between(0, 1).all()
    if (
        not numbers
        or not predictions["label"].isin(LABELS).all()
        or predictions["patient_group"].isna().any()
    ):
        raise BundleError(f"{place} holds rows without a label, a patient or a probability from 0 to 1.")
