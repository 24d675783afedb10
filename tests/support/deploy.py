"""The Dockerfile, compose.yaml and the Caddyfile, read so that tests can do what a container would."""

import json
import os
import re
import shlex
import shutil

import yaml

from leukemia.settings import PROJECT

VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


def steps():
    """The Dockerfile's steps, in order: (instruction, the rest)."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.strip().split(None, 1)) for line in joined.splitlines() if line.strip()]


def copies():
    """What the Dockerfile copies: (source, destination), each with its own path."""
    for instruction, rest in steps():
        if instruction == "COPY":
            *sources, target = shlex.split(rest)
            for source in sources:
                yield source, source if target == "./" else target


def environment():
    """What the Dockerfile sets."""
    given = {}
    for instruction, rest in steps():
        if instruction == "ENV":
            given |= dict(part.split("=", 1) for part in shlex.split(rest))
    return given


def health_check():
    """The Dockerfile's health check, as its arguments."""
    (rest,) = [rest for instruction, rest in steps() if instruction == "HEALTHCHECK"]
    return json.loads(rest.partition(" CMD ")[2])


def image(folder):
    """Lay out the image's /app in a folder: what the Dockerfile copies, and nothing else."""
    ignored = shutil.ignore_patterns("__pycache__")
    for source, target in copies():
        there = folder / target
        there.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, there, ignore=ignored)
        else:
            shutil.copy(PROJECT / source, there)
    return folder


def compose(settings):
    """``compose.yaml`` with settings put in, as docker compose does it; a KeyError names what is missing."""
    text = (PROJECT / "compose.yaml").read_text(encoding="utf-8")

    def value(found):
        name, kind, said = found.groups()
        if name is None:
            return "$"
        given = settings.get(name, "")
        if not given and kind == "?":
            raise KeyError(f"{name}: {said}")
        return given or (said if kind == "-" else "")

    def put_in(part):
        if isinstance(part, dict):
            return {name: put_in(one) for name, one in part.items()}
        if isinstance(part, list):
            return [put_in(one) for one in part]
        return VARIABLE.sub(value, part) if isinstance(part, str) else part

    # First read, then put in: an empty setting is an empty text.
    return put_in(yaml.safe_load(text))


def plain_environment():
    """The environment without settings of ours or of Streamlit: a container's is empty at first."""
    own = ("LEUKEMIA_", "STREAMLIT_", "MLFLOW_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
