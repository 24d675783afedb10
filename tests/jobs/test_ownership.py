"""Jobs of one's own and jobs of others: who may start, cancel and remove which."""

import pytest

from leukemia import jobs
from leukemia.access import acting
from leukemia.access.permissions import NEEDS
from leukemia.access.users import Role, User
from leukemia.errors import AccessError, JobError
from leukemia.jobs import JobKind, launcher, scheduler
from tests.support import job_factory

ADA = User.of("Ada", "https://id.example#ada", {Role.READER})
BOB = User.of("Bob", "https://id.example#bob", {Role.READER})
EVE = User.of("Eve", "https://id.example#eve", {Role.VIEWER})
MIA = User.of("Mia", "https://id.example#mia", {Role.MANAGER})


@pytest.fixture
def begun(monkeypatch):
    """What would have been started, instead of starting it."""
    given = []
    monkeypatch.setattr(launcher, "begin", lambda *args, **more: given.append((args, more)))
    return given


@pytest.mark.parametrize("kind", JobKind)
def test_each_kind_of_job_asks_for_its_role(tmp_path, begun, kind):
    needed = NEEDS[scheduler.ACTIONS[kind]]
    for user in (EVE, ADA, MIA):
        before = len(begun)
        with acting.acting_as(user):
            if needed in user.roles:
                jobs.submit(tmp_path, kind, "A job", ["recipes"], by="Somebody else")
                assert begun[-1][1]["by"] == user.name
                assert begun[-1][1]["owner"] == user.subject
            else:
                with pytest.raises(AccessError, match=needed):
                    jobs.submit(tmp_path, kind, "A job", ["recipes"])
        assert len(begun) == before + (needed in user.roles)


def test_only_a_manager_cancels_what_another_started(tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(scheduler.processes, "find", lambda _: "the process")
    monkeypatch.setattr(scheduler.processes, "end", lambda process, *_: ended.append(process))
    of_ada = job_factory.write(tmp_path, record={"owner": ADA.subject, "by": "Ada"})
    for user in (BOB, EVE):
        with acting.acting_as(user), pytest.raises(AccessError, match="manager"):
            jobs.cancel(of_ada)
    assert ended == []
    for number, user in enumerate((ADA, MIA), 1):
        with acting.acting_as(user):
            jobs.cancel(of_ada)
        assert len(ended) == number


def test_a_job_of_an_older_program_is_nobodys_own(tmp_path):
    old = job_factory.write(tmp_path)
    with acting.acting_as(ADA), pytest.raises(AccessError):
        jobs.cancel(old)
    jobs.cancel(old)


def test_what_waits_is_removed_by_whoever_queued_it_and_moved_by_a_manager(tmp_path, begun):
    job_factory.queued(tmp_path, "of before")
    with acting.acting_as(ADA):
        mine = jobs.submit(tmp_path, "train", "of Ada", ["train"])
    assert (mine.owner, mine.by) == (ADA.subject, "Ada")
    with acting.acting_as(BOB):
        for change in (jobs.drop, lambda data, id: jobs.move(data, id, -1)):
            with pytest.raises(AccessError):
                change(tmp_path, mine.id)
    with acting.acting_as(ADA):
        with pytest.raises(AccessError):
            jobs.move(tmp_path, mine.id, -1)
        jobs.drop(tmp_path, mine.id)
        with pytest.raises(JobError, match="no longer waiting"):
            jobs.drop(tmp_path, mine.id)
