import json
import zipfile

from leukemia.training.checkpoint import OUTDATED, STATE, Checkpoint, State


def checkpoint_of(tmp_path, config):
    checkpoint = Checkpoint(tmp_path, {"seed": 0}, "data")
    checkpoint.folder.mkdir(parents=True)
    state = {
        "history": [{"loss": 0.5}],
        "best_epoch": 0,
        "last": "epoch-001.keras",
        "best": "epoch-001.keras",
    }
    (checkpoint.folder / STATE).write_text(json.dumps(state))
    with zipfile.ZipFile(checkpoint.folder / "epoch-001.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return checkpoint


def test_a_checkpoint_with_the_optimizer_of_an_earlier_version_begins_anew_and_says_so(tmp_path, caplog):
    old = {"compile_config": {"optimizer": {"registered_name": "leukemia>BodyAndHead"}}}
    checkpoint = checkpoint_of(tmp_path, old)
    assert checkpoint.read() == State()
    assert OUTDATED in caplog.text
    assert not checkpoint.folder.exists()


def test_any_other_checkpoint_is_resumed(tmp_path):
    checkpoint = checkpoint_of(tmp_path, {"compile_config": {"optimizer": {"registered_name": "Adam"}}})
    assert len(checkpoint.read().history) == 1
