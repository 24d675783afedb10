"""How a job stands, told from what it left in its folder."""

import pytest

from leukemia import jobs
from leukemia.jobs import job as one_job
from leukemia.jobs.process import ProcessId

NOBODY = ProcessId(0, 0.0)
KEEP_NOTHING = {jobs.JobKind.SIMILAR, jobs.JobKind.MAP, jobs.JobKind.PACE, jobs.JobKind.VERIFY}


@pytest.mark.parametrize("kind", jobs.JobKind)
def test_what_was_forced_to_stop_says_that_work_is_kept_only_where_it_is(tmp_path, kind):
    (tmp_path / one_job.CANCEL).write_text("{}")
    state = jobs.state(jobs.Job(tmp_path, kind, "", (), NOBODY, ""))
    assert state.status == "stopped"
    assert "forced to stop" in state.message
    assert ("Finished work is kept" in state.message) == (kind not in KEEP_NOTHING)
