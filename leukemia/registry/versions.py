"""Model versions: those in MLflow's registry, and bundles that lie on this machine.

Which of them is in service is changed in :mod:`leukemia.registry.promotion`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError, RegistryError
from leukemia.evaluation.estimate import from_text
from leukemia.registry import bundle_cache, promotion_log
from leukemia.registry.promotion_log import Event
from leukemia.tracking.records import CHAMPION, RegistryState
from leukemia.tracking.store import open_store

TROUBLE = "The registry of model versions cannot be read"
# Tags of a version; the SHA-256 of its bundle.json is stored under its old name.
RECIPE, ESTIMATES, RECORD_SHA256 = "recipe", "figures", "seal"
# Tags of a version whose threshold was changed, and of its run.
CHANGED_BY, REASON, CHOSEN, BEFORE = "changed_by", "reason", "chosen", "threshold_before"
MADE_FROM, MADE_FROM_RUN = "made_from", "made_from_run"
# Tag of a version that was accepted for a laboratory: its name.
SITE = "site"


@dataclass(frozen=True)
class Version:
    """One model version: registered, or a bundle on this machine, or both.

    Attributes
    ----------
    folder : Path
        Where its bundle lies, or will lie once it is fetched.
    bundle : Bundle or None
        None where it cannot be read, or is not fetched yet.
    problem : str
        Why it cannot be read; empty where it can, or nobody tried.
    number : int or None
        MLflow's version number; None where it is not registered: then so is all below but
        ``record_sha256``.
    run_id, recipe : str
        The run that made it, and the recipe.
    created : datetime or None
        When it was registered, UTC.
    aliases : tuple of str
        Such as ``champion``.
    estimates : dict
        Of held-out cells: name to value, low and high (95 % interval over patients).
    events : tuple of Event
        When it was put in service, by whom and why; the first one first.
    facts : dict of str to str
        ``threshold``, ``limits``, ``digest`` (SHA-256 of the network), ``held_out`` (tells sets of held-out
        cells apart), ``split``, ``folds``, ``synthetic``, ``data_fingerprint``; where its threshold was
        changed, :data:`CHANGED_BY` and what stands beside it.
    record_sha256 : str
        Of its ``bundle.json``; empty where it has none.
    """

    folder: Path
    bundle: Bundle | None = None
    problem: str = ""
    number: int | None = None
    run_id: str = ""
    recipe: str = ""
    created: datetime | None = None
    aliases: tuple[str, ...] = ()
    estimates: dict[str, dict[str, float | None]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    record_sha256: str = ""

    @property
    def in_service(self) -> bool:
        """Whether it is the champion."""
        return CHAMPION in self.aliases

    @property
    def built_in(self) -> bool:
        """Whether it is the bundle that comes with the program: no version, and not called so."""
        return self.number is None and self.folder.resolve() == settings.SHIPPED.resolve()

    @property
    def recall(self) -> float | None:
        """Held-out recall (sensitivity) at its own threshold."""
        return self.estimates.get("sensitivity", {}).get("value")

    @property
    def name(self) -> str:
        """What it is called on screen."""
        if self.number is not None:
            return f"version {self.number}"
        return settings.BUILT_IN if self.built_in else self.folder.name

    @property
    def note(self) -> str:
        """For whom it was accepted, and how it differs from what it was made from; empty for neither."""
        parts = []
        if SITE in self.facts:
            parts.append(f"accepted for {self.facts[SITE]}")
        if MADE_FROM in self.facts:
            limits = f", limits {self.facts['limits']}" if "limits" in self.facts else ""
            at = f"threshold {_four(self.facts.get('threshold', ''))}{limits}"
            parts.append(f"{at}, from {self.facts[MADE_FROM]}")
        return ", ".join(parts)

    @property
    def word(self) -> str:
        """What names it in an address."""
        if self.number is not None:
            return str(self.number)
        return "built-in" if self.built_in else self.folder.name

    def answers_to(self, word: str) -> bool:
        """Whether a word of an address names it: its folder or its number."""
        return word in (self.word, self.folder.name)


def registered(data: Path) -> list[Version]:
    """All versions of the registry, the newest first; none is fetched. Raises RegistryError."""
    with open_store(data, TROUBLE) as store:
        state, rows = store.registry_state(), store.model_versions()
    events = promotion_log.events(state.tags)
    versions = (_version(data, *row, state.aliases, events) for row in rows)
    return sorted(versions, key=lambda version: version.number, reverse=True)


def version(data: Path, number: int) -> Version:
    """One registered version; raises RegistryError where there is none of this number."""
    known = registered(data)
    for one in known:
        if one.number == number:
            return one
    raise RegistryError(f"There is no model version {number}{'' if known else ': none was registered yet'}.")


def bundle(data: Path, number: int) -> Bundle:
    """A registered version's bundle, fetched to this machine and checked; raises RegistryError."""
    one = version(data, number)
    return bundle_cache.fetch(data, number, one.run_id, one.record_sha256)


def registry_state(data: Path) -> RegistryState:
    """Which version is in service, and its history in tags; raises RegistryError."""
    with open_store(data, TROUBLE) as store:
        return store.registry_state()


def events(data: Path) -> list[Event]:
    """Who put which version in service, when and why; the first one first."""
    return promotion_log.events(registry_state(data).tags)


def fetch(data: Path, version: Version) -> Version:
    """A registered version with its bundle, fetched to this machine; where that fails, it says why."""
    try:
        bundle = bundle_cache.fetch(data, version.number, version.run_id, version.record_sha256)
    except RegistryError as error:
        return replace(version, problem=str(error))
    return replace(version, bundle=bundle, problem="")


def folders(model: Path) -> list[Path]:
    """Folders that hold a bundle: the model in service first, then others by name.

    Parameters
    ----------
    model : Path
        The folder of the model in service (:attr:`leukemia.settings.Settings.model`); it is named even
        where nothing lies there.
    """
    model = Path(model).resolve()
    others = {folder for place in (model.parent, model) for folder in _below(place)} - {model}
    return [model, *sorted(others)]


def read(folder: Path) -> Version:
    """Read a bundle on this machine; where it is broken, the version says so."""
    try:
        bundle = bundles.read(folder)
    except BundleError as error:
        return Version(Path(folder), problem=str(error))
    return Version(Path(folder), bundle, record_sha256=bundles.checksum(bundle.folder / bundles.RECORD))


def merge(local: list[Version], registered: list[Version]) -> list[Version]:
    """Bundles on this machine and registered versions, each once.

    Parameters
    ----------
    local : list of Version
        Bundles on this machine, the model in service first.
    registered : list of Version
        Those of the registry.

    Returns
    -------
    list of Version
        The first of ``local``, then what is registered, then the others. A bundle that is registered
        has its number.
    """
    by_checksum = {one.record_sha256: one for one in reversed(registered) if one.record_sha256}
    out, seen = [], set()
    for one in local:
        known = by_checksum.get(one.record_sha256)
        if known is None:
            out.append(one)
        elif known.number not in seen:
            seen.add(known.number)
            out.append(replace(known, folder=one.folder, bundle=one.bundle, problem=one.problem))
    return [*out[:1], *(one for one in registered if one.number not in seen), *out[1:]]


def stamp(folder: Path) -> tuple[object, ...]:
    """Times and sizes of a bundle's files: they change when a file does."""
    out: list[object] = []
    for name in (bundles.RECORD, *bundles.CHECKED):
        try:
            status = (folder / name).stat()
        except OSError:
            out.append(None)
        else:
            out.append((status.st_mtime_ns, status.st_size))
    return tuple(out)


def _version(
    data: Path,
    number: int,
    run_id: str,
    created: int,
    tags: dict[str, str],
    aliases: Mapping[str, int],
    events: list[Event],
) -> Version:
    checksum = tags.get(RECORD_SHA256, "")
    return Version(
        folder=bundle_cache.place(data, number, checksum),
        number=number,
        run_id=run_id,
        recipe=tags.get(RECIPE, ""),
        created=datetime.fromtimestamp(created / 1000, UTC),
        aliases=tuple(sorted(alias for alias, named in aliases.items() if named == number)),
        estimates=from_text(tags.get(ESTIMATES, "")),
        events=tuple(event for event in events if event.version == number),
        facts={
            key: value
            for key, value in tags.items()
            if key not in (RECIPE, ESTIMATES, RECORD_SHA256) and not key.startswith(promotion_log.KEY)
        },
        record_sha256=checksum,
    )


def _four(text: str) -> str:
    try:
        return f"{float(text):.4f}"
    except ValueError:
        return "?"


def _below(place: Path) -> list[Path]:
    try:
        inside = [path for path in place.iterdir() if not path.name.startswith(".") and path.is_dir()]
    except OSError:
        return []
    # Either of the two files tells a bundle that lost one from a folder that never was a bundle.
    marks = (bundles.RECORD, bundles.NETWORK)
    return [
        path for path in inside if path != settings.FINDER and any((path / mark).is_file() for mark in marks)
    ]
