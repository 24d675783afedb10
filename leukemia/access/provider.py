"""What the provider says of somebody now: a role that is taken away there ends here before the next sign-in.

The claims of an identity token are as they were at the signing in. Where the dashboard is handed the access
token of that, the provider's userinfo endpoint says them anew (OpenID Connect Core 1.0, section 5.3). Claims
that were not confirmed count for a limited time only: how long is a setting.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx

from leukemia.access.sessions import SignIn
from leukemia.errors import SessionEndedError

# So often at the most, a signing in: also where the provider did not answer, so that no click waits twice.
EVERY = timedelta(minutes=1)
PATIENCE = 3.0  # seconds
KEPT = timedelta(days=2)
STALE = (
    "The sign-in service confirmed your roles more than {minutes:.0f} minutes ago. Sign in again: nothing is "
    "lost."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """What the provider has said of somebody.

    Attributes
    ----------
    claims : mapping
    at : float
        When, in seconds since 1970.
    asked : float
        When it was last asked, whether it answered or not.
    """

    claims: Mapping[str, Any]
    at: float
    asked: float


class Provider:
    """A provider, asked again what it says of those who signed in with it.

    Parameters
    ----------
    metadata_url : str
        Of its description (OpenID Connect Discovery 1.0), as in the section ``auth`` of the secrets.
    """

    def __init__(self, metadata_url: str) -> None:
        self._metadata_url = metadata_url
        self._said: dict[str, Said] = {}
        self._lock = threading.Lock()

    def claims(
        self, given: Mapping[str, Any], token: str, longest: timedelta, *, now: datetime | None = None
    ) -> Mapping[str, Any]:
        """What the provider says of somebody, not older than a time.

        Parameters
        ----------
        given : mapping
            The claims of the identity token of their signing in, checked.
        token : str
            The access token of that; empty where it is not known, and nothing can be asked.
        longest : timedelta
            How long claims are worth something.
        now : datetime, optional
            Of this moment, by default.

        Raises
        ------
        SessionEndedError
            Where nobody signed in by the claims, or what was said last is too old.
        """
        signed_in, at = SignIn.of(given), (now or datetime.now(UTC)).timestamp()
        said = self._last(signed_in, given, at)
        if token and at - said.asked > EVERY.total_seconds():
            said = self._ask(given, token, said, at)
            with self._lock:
                self._said[signed_in.id] = said
        if at - said.at > longest.total_seconds():
            raise SessionEndedError(STALE.format(minutes=longest / timedelta(minutes=1)))
        return said.claims

    def _last(self, signed_in: SignIn, given: Mapping[str, Any], at: float) -> Said:
        with self._lock:
            old = [name for name, one in self._said.items() if at - one.asked > KEPT.total_seconds()]
            for name in old:
                del self._said[name]
            return self._said.get(signed_in.id) or Said(given, signed_in.issued, signed_in.issued)

    def _ask(self, given: Mapping[str, Any], token: str, before: Said, at: float) -> Said:
        """What it says now; what it said before, where it does not answer or the token has run out."""
        try:
            with httpx.Client(timeout=PATIENCE) as client:
                place = client.get(self._metadata_url).raise_for_status().json()["userinfo_endpoint"]
                answer = client.get(place, headers={"Authorization": f"Bearer {token}"})
                claims = answer.raise_for_status().json()
            # Section 5.3.2: of another subject, it must not be used.
            if claims["sub"] != given["sub"]:
                raise ValueError("it answers for somebody else")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            _log.info("The sign-in service did not say what roles somebody has now: %s", type(error).__name__)
            return replace(before, asked=at)
        return Said(claims, at, at)
