"""How people come in: by signing in, or on this machine alone by an address that carries a token."""

import ipaddress
import sys

from starlette.middleware import Middleware

from leukemia import settings
from leukemia.access import token
from leukemia.errors import SettingError
from pages.components import streamlit_internals
from pages.components.token_gate import PARAMETER, TokenGate

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
        Where other machines would be answered without sign-in, or a setting is wrong.
    """

    def __init__(self) -> None:
        given = settings.load()
        address = streamlit_internals.option("server.address")
        if not is_loopback(address):
            raise SettingError(OPEN_TO_OTHERS.format(address=address or "every address of this machine"))
        self.token = token.of(given.data, given.token)
        self.base = streamlit_internals.base_path()

    def middleware(self) -> Middleware:
        """What each request goes through."""
        return Middleware(TokenGate, token=self.token, base=self.base)

    def announce(self) -> None:
        """Print the address, and open it in a browser where there is a screen."""
        address = f"{streamlit_internals.address_of_browser()}/?{PARAMETER}={self.token.text}"
        print(f"\n  The dashboard is ready. Open this address:\n\n  {address}\n", flush=True)
        streamlit_internals.open_browser(address)


def entrance() -> Entrance:
    """The entrance; where there can be none, the program ends with the reason."""
    try:
        return Entrance()
    except SettingError as error:
        sys.exit(str(error))
