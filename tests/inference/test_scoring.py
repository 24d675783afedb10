import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.inference import scoring
from tests.support import bundle_factory


def learned_from(folder, groups):
    """Rewrite a bundle's record as if it had learned from these patient groups."""
    return bundles.read(bundle_factory.edit(folder, {"split.training.groups": groups}))


def test_another_set_is_judged_without_the_patients_learned_from(copied_bundle, prepared):
    bundle = learned_from(copied_bundle, ["H1", "1", "2"])
    calls = []
    scored = scoring.on_dataset(bundle, prepared, progress=lambda *a: calls.append(a))
    frame = manifest.read(prepared)
    assert set(scored.predictions["patient_group"]) == set(frame["patient_group"]) - {"H1", "1", "2", ""}
    assert "3 patient groups that it was trained on are left out." in scored.notes
    assert calls[-1] == (54, 54, "Classifying")
    assert scored.predictions["probability"].between(0, 1).all()


def test_unreadable_images_are_counted(tiny_bundle, prepared, tmp_path):
    for path in prepared.glob("*.png"):
        (tmp_path / path.name).symlink_to(path)
    frame = manifest.read(prepared)
    victim = tmp_path / frame["path"][0]
    victim.unlink()
    victim.write_bytes(b"broken")
    manifest.write(tmp_path, frame)
    scored = scoring.on_dataset(bundles.read(tiny_bundle), tmp_path)
    assert len(scored.predictions) == 71
    assert scored.notes == ("1 images could not be read and are left out.",)


def test_nothing_left_to_judge_is_an_error(copied_bundle, prepared):
    bundle = learned_from(copied_bundle, sorted(set(manifest.read(prepared)["patient_group"])))
    with pytest.raises(DatasetError, match="on every patient"):
        scoring.on_dataset(bundle, prepared)
