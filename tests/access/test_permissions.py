"""Each action asks for the role that the table names, and nothing writes without asking."""

import ast
import importlib
from pathlib import Path

import pytest

from leukemia.access import acting, permissions
from leukemia.access.permissions import NEEDS, Action
from leukemia.access.users import LOCAL, Role, User
from leukemia.errors import AccessError
from leukemia.settings import PROJECT

PACKAGE = PROJECT / "leukemia"
# What changes the records, the registry or the jobs, as it is called.
WRITES = {
    "database.writing",
    "trail.append",
    "trail.record",
    "promotion_trail.append",
    "registry_writer.set_champion",
    "registry_writer.set_alias",
    "launcher.begin",
    "queue.write",
    "processes.end",
    "_changing",
}
ASKS = {"permissions.require", "permissions.requires", "ownership.require_change"}
# Nobody decides these: they go with what somebody was allowed to do, or belong to the program itself.
OF_ITSELF = {
    ("api/idempotency.py", "once"): "an answer is kept for whoever was given it",
    ("api/idempotency.py", "forget"): "an answer has been kept long enough",
    ("access/sessions.py", "check"): "somebody signed in, or did something",
    ("access/sessions.py", "end"): "somebody signed out",
    ("audit/answers.py", "record"): "an answer was given, to whoever may see it",
    ("audit/settings_log.py", "record_changes"): "the program started",
    ("audit/trail.py", "record"): "appends for whoever writes",
    ("dataset/importing/entry.py", "on_record"): "within an import",
    ("dataset/old_label_log.py", "bring_over"): "a log of an older program is brought over",
    ("jobs/scheduler.py", "advance"): "starts what was allowed to wait",
    ("jobs/scheduler.py", "after_me"): "starts what was allowed to wait",
    ("monitoring/alerts.py", "record"): "an alert arises by itself",
    ("registry/promotion_trail.py", "append"): "within a promotion",
    ("registry/promotion_trail.py", "append_missing"): "what happened before is put on record",
    ("registry/promotion_trail.py", "bring_over"): "what happened before is put on record",
}


def call_name(node):
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called)


def calls(function):
    return {call_name(node) for node in ast.walk(function) if isinstance(node, ast.Call)}


def functions():
    """Each function of the package at the top of its module: (file, name, node, all that it calls)."""
    for file in sorted(PACKAGE.rglob("*.py")):
        here = {
            node.name: node
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        for name, node in here.items():
            reached, todo = set(), [node]
            while todo:
                new = calls(todo.pop()) - reached
                reached |= new
                todo += [here[one] for one in new if one.startswith("_") and one in here]
            yield file.relative_to(PACKAGE), name, node, reached


def guarded():
    """The functions that ask for permission before anything else."""
    for file, name, node, _ in functions():
        if any(call_name(one) == "permissions.requires" for one in node.decorator_list):
            module = importlib.import_module(".".join(["leukemia", *Path(file).with_suffix("").parts]))
            yield getattr(module, name)


def user(*roles):
    return User.of("Ada Lovelace", "https://id.example#1", roles)


def test_nothing_writes_without_asking():
    silent = {
        (file.as_posix(), name)
        for file, name, _, reached in functions()
        if not name.startswith("_") and reached & WRITES and not reached & ASKS
    }
    assert silent == set(OF_ITSELF)


def test_each_action_needs_a_role_and_is_asked_for():
    assert set(NEEDS) == set(Action)
    sources = [*PACKAGE.rglob("*.py"), *PROJECT.glob("pages/**/*.py"), PROJECT / "dashboard.py"]
    text = "\n".join(
        file.read_text(encoding="utf-8")
        for file in sources
        if file.parts[-2:] != ("access", "permissions.py")
    )
    assert [action.name for action in Action if f"Action.{action.name}" not in text] == []


@pytest.mark.parametrize("role", [None, *Role])
def test_each_function_refuses_whoever_has_not_the_role(role):
    asked = list(guarded())
    assert len(asked) > 15
    with acting.acting_as(user(*filter(None, [role]))):
        for function in asked:
            allowed = role is not None and NEEDS[function.action] in {role, Role.VIEWER}
            # Whoever may goes on, and lacks what the function works on.
            with pytest.raises(TypeError if allowed else AccessError) as refused:
                function()
            if not allowed:
                assert NEEDS[function.action] in str(refused.value)
                assert function.action in str(refused.value)


def test_whoever_works_on_this_machine_may_do_all():
    assert acting.user() is LOCAL
    for action in Action:
        assert permissions.require(action) is LOCAL


def test_any_role_may_see_and_none_includes_another():
    for role in Role:
        assert permissions.may(user(role), Action.VIEW)
    assert not permissions.may(user(Role.MANAGER), Action.SIGN)
    assert not permissions.may(user(Role.READER), Action.IMPORT)
    assert not permissions.may(user(), Action.VIEW)


def test_the_name_of_whoever_is_signed_in_goes_on_record_whatever_was_given():
    @permissions.requires(Action.SIGN, signed_by="who")
    def sign(case, *, who, meaning=""):
        return case, who, meaning

    assert sign(1, who="Typed", meaning="so") == (1, "Typed", "so")
    with acting.acting_as(user(Role.READER)):
        assert sign(1, who="Typed", meaning="so") == (1, "Ada Lovelace", "so")
        assert sign(1) == (1, "Ada Lovelace", "")


def test_a_door_says_who_acts(monkeypatch):
    monkeypatch.setattr(acting, "_asked", [])

    def nobody():
        raise AccessError("Nobody is signed in.")

    acting.ask(nobody)
    with pytest.raises(AccessError, match="Nobody"):
        permissions.require(Action.VIEW)
    with acting.acting_as(user(Role.VIEWER)):
        assert permissions.require(Action.VIEW).name == "Ada Lovelace"
    acting.ask(lambda: user(Role.READER))
    assert permissions.require(Action.SIGN).name == "Ada Lovelace"
