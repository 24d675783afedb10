"""The commands about the REST service: ``serve``, ``keys``.

Each takes the parsed arguments and returns the exit status.
"""

import ipaddress
import logging
import os
import socket
import sys
from argparse import Namespace

from leukemia import settings
from leukemia.access.users import Role
from leukemia.cli.arguments import Commands, data_option, whole
from leukemia.errors import LeukemiaError

HOST, PORT = "127.0.0.1", 8600
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
NO_KEYS = (
    "The service answers only to holders of a key, and there is none yet. Make one first: "
    "'python -m leukemia keys add NAME --role viewer'."
)
SHOWN_ONCE = "This is the key. It is shown only now, and kept nowhere; revoke it if it is lost:"


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser("serve", help="answer other programs over REST")
    command.add_argument(
        "--host", default=HOST, help="the address to listen at (default: %(default)s, this machine only)"
    )
    command.add_argument(
        "--port", type=whole(0, 65_535), default=PORT, help="the port (default: %(default)s; 0: any free one)"
    )
    command.set_defaults(run=serve)

    parts = commands.add_parser("keys", help="keys of the REST service: make, list, revoke").add_subparsers(
        dest="part", required=True, metavar="add|list|revoke"
    )
    command = parts.add_parser("add", help="make a key, and show it once")
    command.add_argument("name", metavar="NAME", help="who holds it: its verdicts are given in this name")
    command.add_argument(
        "--role",
        action="append",
        choices=[role.value for role in Role],
        help="what its holder may do; can be given several times (default: viewer)",
    )
    data_option(command)
    command.set_defaults(run=add_key)

    command = parts.add_parser("list", help="list all keys, without their secrets")
    data_option(command)
    command.set_defaults(run=list_keys)

    command = parts.add_parser("revoke", help="make a key invalid from now on")
    command.add_argument("name", metavar="NAME", help="who holds it")
    command.add_argument("--reason", required=True, metavar="TEXT", help="why")
    data_option(command)
    command.set_defaults(run=revoke_key)


def serve(options: Namespace) -> int:
    """Answer requests until it is stopped."""
    import uvicorn

    from leukemia.access import keys
    from leukemia.api import app
    from leukemia.storage import private

    given = settings.load()
    if not any(key.valid for key in keys.every(given.data)):
        if not _is_this_machine(options.host):
            raise LeukemiaError(f"It was not started at {options.host}. {NO_KEYS}")
        print(f"leukemia: {NO_KEYS}", file=sys.stderr)
    if warning := private.warning(given.data):
        print(f"leukemia: {warning}", file=sys.stderr)
    service = app.make(
        given.data,
        hosts={*LOCAL_NAMES, *given.hosts},
        rate=given.api_rate,
        base_path=given.base_path,
    )
    _log()
    config = uvicorn.Config(
        service,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whose word about the client's address is taken: a proxy's, where one is named.
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", ""),
        timeout_graceful_shutdown=30,
    )
    with _listen(options.host, options.port) as door:
        port = door.getsockname()[1]
        print(f"The REST service is at http://{_shown(options.host)}:{port}{given.base_path}/docs")
        print(settings.RESEARCH_USE, flush=True)
        uvicorn.Server(config).run(sockets=[door])
    return 0


def add_key(options: Namespace) -> int:
    """Make a key."""
    from leukemia.access import keys
    from leukemia.jobs import progress
    from leukemia.storage import database, databases, private

    if databases.file(database.address(options.data)):
        private.make_folder(options.data)
    roles = {Role(word) for word in options.role or [Role.VIEWER]}
    key, text = keys.add(options.data, options.name, roles, who=progress.who())
    print(f"{key.name}: {key.roles}. {SHOWN_ONCE}", file=sys.stderr)
    print(text)
    return 0


def list_keys(options: Namespace) -> int:
    """List the keys."""
    from leukemia.access import keys

    found = keys.every(options.data)
    for key in found:
        state = "valid" if key.valid else f"revoked {_day(key.revoked_at)} by {key.revoked_by}"
        print(f"{key.id}  {key.name}: {key.roles}; made {_day(key.created_at)} by {key.created_by}; {state}")
    if not found:
        print("There is no key.")
    return 0


def revoke_key(options: Namespace) -> int:
    """Revoke a key."""
    from leukemia.access import keys
    from leukemia.jobs import progress

    key = keys.revoke(options.data, options.name, who=progress.who(), reason=options.reason)
    print(f"The key of {key.name} is no longer valid.")
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A socket at an address; raises LeukemiaError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or error
        raise LeukemiaError(
            f"The service cannot listen at {host}, port {port}: {why}. See --port."
        ) from error


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _day(at: str) -> str:
    return at[:10]


def _log() -> None:
    """A line a request, with its time."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("leukemia.api", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.handlers = [handler]
