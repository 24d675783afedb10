"""A real OpenID Connect provider on loopback, and a dashboard where people sign in with it."""

import contextlib
import logging
import socket

import oidc_provider_mock

from tests.support.browser import Server

# By their subject; the claim `groups` is the provider's, which nobody signs in with another of.
PEOPLE = {
    "vera": {"name": "Vera Viewer", "groups": ["viewer"]},
    "rita": {
        "name": "Rita Reader",
        "groups": ["reader"],
        "email": "rita@lab.example",
        "email_verified": True,
    },
    "mona": {"name": "Mona Manager", "groups": ["manager"]},
    "nemo": {"name": "Nemo Nobody", "groups": ["cardiology"]},
}
SECRET = "a-secret-of-the-tests-by-which-cookies-are-signed"


@contextlib.contextmanager
def provider():
    """Start it; as a context, its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


def dashboard(bundle, folder, issuer, data=None, **environment):
    """A dashboard where people sign in, not yet entered."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    secrets = folder / "secrets.toml"
    secrets.write_text(
        "[auth]\n"
        f'redirect_uri = "http://localhost:{port}/oauth2callback"\n'
        f'cookie_secret = "{SECRET}"\n'
        'client_id = "leukemia"\n'
        'client_secret = "of-the-tests"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
    )
    settings = {"LEUKEMIA_ROLES_CLAIM": "groups"} | environment
    return Server(
        bundle,
        folder / "log.txt",
        data or folder / "data",
        settings=settings,
        port=port,
        options=[f"--secrets.files={secrets}"],
    )


def sign_in(page, who):
    """Sign in as somebody, from the page that asks for it."""
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name=who, exact=True).click()
