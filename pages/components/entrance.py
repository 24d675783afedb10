"""How people come in: by signing in, or on this machine alone by an address that carries a token."""

import ipaddress
import sys

from starlette.middleware import Middleware

from leukemia import settings
from leukemia.access import token
from leukemia.access.token import Token
from leukemia.errors import SettingError
from pages.components import sign_in, sign_in_log, streamlit_internals, streamlit_runs
from pages.components.sign_in_gate import SignInGate
from pages.components.token_gate import PARAMETER, TokenGate

# What a browser says beside a download that was asked for too late.
ENDED = "You are not signed in any more, or may not see this. Reload the page."
# Exit status of a program that was asked for what cannot be.
UNUSABLE = 2
LOOPBACK = ("localhost", "ip6-localhost")
OPEN_TO_OTHERS = (
    "The dashboard was not started: it would answer other machines at {address}, and nobody would have to "
    "sign in. Set up sign-in as docs/access.md says, or start it with --server.address=localhost."
)


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches a server that listens there; without an address, all do."""
    if not address:
        return False
    if address.lower() in LOOPBACK or address.startswith("unix:"):
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


class Entrance:
    """What stands before the pages; made once, as the server starts.

    Raises
    ------
    SettingError
        Where other machines would be answered without sign-in, it is not set up well, or a setting is wrong.
    """

    def __init__(self) -> None:
        given = settings.load()
        address = streamlit_internals.option("server.address")
        self.has_sign_in = streamlit_internals.has_sign_in()
        self.base = streamlit_internals.base_path()
        if self.has_sign_in:
            if trouble := sign_in.trouble():
                raise SettingError(trouble)
            self.token = Token(given.token) if given.token else None
            sign_in_log.shorten()
            streamlit_runs.before_each_run(sign_in.is_allowed)
            streamlit_runs.before_each_download(sign_in.is_allowed, ENDED)
            return
        if not is_loopback(address):
            raise SettingError(OPEN_TO_OTHERS.format(address=address or "every address of this machine"))
        self.token = token.of(given.data, given.token)

    def middleware(self) -> Middleware:
        """What each request goes through."""
        gate = SignInGate if self.has_sign_in else TokenGate
        return Middleware(gate, token=self.token, base=self.base)

    def announce(self) -> None:
        """Print the address, and open it in a browser where there is a screen."""
        address = f"{streamlit_internals.address_of_browser()}/"
        if not self.has_sign_in:
            address += f"?{PARAMETER}={self.token.text}"
        print(f"\n  The dashboard is ready. Open this address:\n\n  {address}\n", flush=True)
        streamlit_internals.open_browser(address)


def entrance() -> Entrance:
    """The entrance; where there can be none, the program ends with the reason."""
    try:
        return Entrance()
    except SettingError as error:
        print(error, file=sys.stderr)
        sys.exit(UNUSABLE)
