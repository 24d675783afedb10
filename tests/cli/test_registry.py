import pytest

from leukemia import settings
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.registry import versions
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import data_folder, make_versions


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))
    return data_folder(tmp_path / "data")


def test_versions_are_listed_promoted_and_rolled_back(data, tmp_path, capsys):
    where = ["--data", str(data)]
    assert main(["versions", *where]) == ANSWERED
    assert "There are no model versions yet" in capsys.readouterr().out
    make_versions(data, tmp_path, [0.9, 0.85])
    assert main(["promote", "1", "--by", "Ada", "--reason", "finds more", "--read", *where]) == ANSWERED
    assert "falls from" not in capsys.readouterr().out
    assert main(["promote", "2", "--by", "Ben", "--reason", "quicker", *where]) == UNUSABLE
    told = capsys.readouterr()
    assert "Warning: Held-out sensitivity (recall) falls from 0.900" in told.out
    assert "Warning: It does not check whether an image is like the cells" in told.out
    assert "repeat the command with --read" in told.err
    assert versions.registry_state(data).champion == 1
    assert main(["promote", "2", "--by", "Ben", "--reason", "quicker", "--read", *where]) == ANSWERED
    told = capsys.readouterr().out
    assert "Warning: Held-out sensitivity (recall) falls from 0.900" in told
    assert "In service: version 2" in told
    assert main(["versions", *where]) == ANSWERED
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("2  recipe-1") and told[0].endswith("[champion]")
    assert told[1].strip().startswith("sensitivity 0.850 (0.750 to 0.950)")
    assert told[2].strip().startswith("promoted ") and told[2].endswith("by Ben: quicker")
    back = ["rollback", "--by", "Ada", "--reason", "as before", *where]
    assert main(back) == UNUSABLE
    told = capsys.readouterr()
    assert "Warning: It does not check whether an image is like the cells" in told.out
    assert "Not rolled back. Read the warnings above" in told.err
    assert versions.registry_state(data).champion == 2
    for says in ("In service: version 1", "In service: the built-in model"):
        assert main([*back, "--read"]) == ANSWERED
        assert says in capsys.readouterr().out
    assert not any(version.in_service for version in versions.registered(data))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["promote", "7", "--by", "Ada", "--reason", "x"], "no model version 7"),
        (["promote", "1", "--by", " ", "--reason", "x"], "Please give your name"),
        (["rollback", "--by", "Ada", "--reason", "x"], "nothing to roll back"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, says, data, capsys):
    assert main([*arguments, "--data", str(data)]) == UNUSABLE
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_a_damaged_registry_is_one_line(data, capsys):
    (data / "mlflow.db").write_bytes(b"no database at all" * 99)
    assert main(["versions", "--data", str(data)]) == UNUSABLE
    assert "its database is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["promote", "1"], ["promote", "one", "--by", "A", "--reason", "x"]])
def test_a_change_without_name_and_reason_is_refused_at_once(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == UNUSABLE
