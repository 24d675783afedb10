"""A real OpenID Connect provider on loopback, and a dashboard where people sign in with it."""

import base64
import contextlib
import json
import logging
import socket
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2 as httpx
import oidc_provider_mock
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock._server import _threaded_server

from tests.support.browser import Server
from tests.support.tab import open_tab

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
def provider(spoil=None):
    """Start it; as a context, its address. ``spoil`` alters each identity token before it is sent."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    app = oidc_provider_mock.app(user_claims=users)

    @app.after_request
    def after(answer):
        if spoil and answer.is_json and "id_token" in answer.json:
            given = answer.json
            answer.set_data(app.json.dumps(given | {"id_token": spoil(given["id_token"])}))
        return answer

    with _threaded_server(app) as server:
        yield f"http://localhost:{server.server_port}"


def as_manager_by_another_key(id_token):
    """The same identity token with the role of a manager, signed by a key that is not the provider's."""
    header, claims = unsigned(id_token)
    return jwt.encode(header, claims | {"groups": ["manager"]}, RSAKey.generate_key(2048))


def as_manager_unsigned(id_token):
    """The same with no signature at all."""
    _, claims = unsigned(id_token)
    parts = ({"alg": "none", "typ": "JWT"}, claims | {"groups": ["manager"]})
    coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts]
    return ".".join([*coded, ""])


def unsigned(id_token):
    """Header and claims of an identity token, unchecked."""
    parts = id_token.split(".")[:2]
    return [json.loads(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))) for one in parts]


def change(issuer, sub, **claims):
    """Change at the provider what it says of somebody from now on."""
    httpx.put(f"{issuer}/users/{sub}", json=PEOPLE[sub] | claims).raise_for_status()


def revoke(issuer, sub):
    """Have the provider take back somebody's tokens."""
    httpx.post(f"{issuer}/users/{sub}/revoke-tokens").raise_for_status()


def access_token(issuer, sub):
    """An access token that the provider gave for somebody."""
    back = "http://localhost/callback"
    asked = {"client_id": "leukemia", "response_type": "code", "redirect_uri": back}
    given = httpx.post(
        f"{issuer}/oauth2/authorize", params=asked | {"scope": "openid profile email"}, data={"sub": sub}
    )
    (code,) = parse_qs(urlsplit(given.headers["location"]).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    answer = httpx.post(f"{issuer}/oauth2/token", data=form, auth=("leukemia", "of-the-tests"))
    return answer.raise_for_status().json()["access_token"]


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


async def go_to_provider(server, who):
    """Press the button, be somebody at the provider; a client with its cookies, and where it leads back."""
    async with open_tab(server.url, {"Origin": server.url}) as tab:
        await tab.run(tab.pressed("Sign in"))
        await tab.wait(lambda: tab.leads_to)
    client = httpx.Client()
    to_provider = client.get(urljoin(server.url, tab.leads_to)).headers["location"]
    return client, client.post(to_provider, data={"sub": who}).headers["location"]


async def come_back(server, who):
    """Sign in as somebody without a browser; the last answer, and the cookies there are afterwards."""
    client, back = await go_to_provider(server, who)
    with contextlib.closing(client):
        return client.get(back), dict(client.cookies)


async def sign_in_by_messages(server, who):
    """Sign in as somebody without a browser; the cookies that one would have afterwards."""
    answer, cookies = await come_back(server, who)
    assert answer.status_code == 302
    return cookies


def headers(server, cookies):
    """What a browser with these cookies sends along."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Origin": server.url}


def sign_in(page, who):
    """Sign in as somebody, from the page that asks for it."""
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name=who, exact=True).click()
