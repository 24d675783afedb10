import json

import pytest

from leukemia import bundle as bundles
from leukemia.clinic import scoring
from leukemia.data import manifest
from leukemia.errors import DatasetError


def learned_from(folder, groups):
    """Rewrite a bundle's record as if it had learned from these patient groups."""
    path = folder / bundles.RECORD
    record = json.loads(path.read_text())
    record["split"]["training"]["groups"] = groups
    path.write_text(json.dumps(record))
    return bundles.read(folder)


def test_the_held_out_predictions_are_judged_at_the_threshold(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    scored = scoring.from_predictions(bundle)
    told = "\n".join(scored.lines())
    assert "60 cells of 6 ALL and 6 normal patient groups" in told
    assert "Trained on synthetic cells." in told
    counts = bundle.record["confusion"]
    assert f"{counts['tp']:>16,} {counts['fn']:>19,}" in told


def test_another_set_is_judged_without_the_patients_learned_from(copied_bundle, prepared):
    bundle = learned_from(copied_bundle, ["H1", "1", "2"])
    calls = []
    scored = scoring.on_dataset(bundle, prepared, progress=lambda *a: calls.append(a))
    frame = manifest.read(prepared)
    assert set(scored.predictions["patient_group"]) == set(frame["patient_group"]) - {"H1", "1", "2", ""}
    assert "3 patient groups that it learned from are left out." in scored.notes
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
    with pytest.raises(DatasetError, match="Every patient"):
        scoring.on_dataset(bundle, prepared)


def test_several_bundles_make_a_table(tiny_bundle, copied_bundle):
    path = copied_bundle / bundles.RECORD
    record = json.loads(path.read_text())
    record["split"]["by"] = "image"
    path.write_text(json.dumps(record))
    plain, leaky = scoring.table([bundles.read(tiny_bundle), bundles.read(copied_bundle)])[2:]
    figure = record["figures"]["auroc"]
    assert f"| {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}) |" in plain
    assert "| patient | 0.875 |" in plain
    assert "| image (leaky) |" in leaky
