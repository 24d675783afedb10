"""A verified version is accepted for the laboratory: only where the criterion stated before is met."""

from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import attribute
from leukemia.bundles.site import Site, SiteCriterion
from leukemia.errors import BundleError
from leukemia.registry import site as site_versions
from leukemia.registry.versions import Version
from leukemia.verification import store
from leukemia.verification.result import Judgement, Result
from leukemia.verification.store import Accepted, Stated, Verification

SHIPPED, OWN = "shipped", "own"


@permissions.requires(Action.VERIFY, signed_by="who")
def accept(
    data: Path, verification: Verification, version: Version, judgement: str, who: str, reason: str
) -> Verification:
    """Make a verified version a version for the laboratory, and keep its number.

    Parameters
    ----------
    data : Path
        The data folder.
    verification : Verification
        With its result.
    version : Version
        The one that was verified, with its bundle.
    judgement : str
        :data:`SHIPPED` for the version's own threshold, :data:`OWN` for the laboratory's.
    who, reason : str
        See :mod:`leukemia.attribution`.

    Raises
    ------
    BundleError
        Where the criterion is not met at that threshold, it was accepted before, the version is
        another one, or who or why is missing.
    RegistryError
        Where the registry did not take it; nothing is saved then.
    """
    result = verification.result
    if result is None or judgement not in result.acceptable:
        raise BundleError("The criterion is not met at this threshold, so the version cannot be accepted.")
    if verification.accepted:
        raise BundleError(f"It was accepted before, as version {verification.accepted.version}.")
    if not verification.of(version.bundle):
        raise BundleError("Another model version was verified, or this one has changed since.")
    given = attribute(who, reason, BundleError)
    site = _site(
        verification.id,
        verification.stated,
        result,
        result.acceptable[judgement],
        {"at": given.at, "who": given.who, "reason": given.why},
    )
    number = site_versions.save(data, version, site)
    return store.write_accepted(verification, Accepted(number, judgement, given.who, given.why, given.at))


def _site(name: str, stated: Stated, result: Result, judgement: Judgement, given: dict[str, str]) -> Site:
    criterion = stated.criterion
    rates = judgement.rates
    return Site(
        name=stated.site,
        verification=name,
        **given,
        criterion=SiteCriterion(
            sensitivity=criterion.sensitivity,
            specificity=criterion.specificity,
            confidence=criterion.confidence,
            stated_by=stated.who,
            stated_at=stated.at,
        ),
        threshold_old=stated.model.threshold,
        threshold_new=judgement.threshold,
        estimates={name: rate.estimate for name, rate in rates.items()} | {"auroc": result.auroc},
        lower_bounds={name: rate.bound for name, rate in rates.items()},
        patient_groups=result.patients,
        cells=result.answered,
        unanswered=result.unanswered,
        earlier=len(result.earlier),
    )
