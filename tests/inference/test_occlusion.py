import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.imaging.cell import crop_cell, foreground, measure_cell
from leukemia.inference import occlusion
from leukemia.inference.classifier import Classifier
from leukemia.settings import SHIPPED
from tests.support.pictures import ellipse


@pytest.fixture(scope="module")
def crop(drawn):
    return crop_cell(measure_cell(drawn[1][2]), 256)


@pytest.fixture(scope="module")
def tiny(tiny_bundle):
    return Classifier(bundles.read(tiny_bundle))


def reads(part, direction=1):
    """A network that reads the mean green of one part of the picture only."""

    def predict(crops):
        level = crops[:, part, 1].mean(axis=1) / 255 if part.any() else np.zeros(len(crops))
        return 1 / (1 + np.exp(-direction * 8 * (level - 0.35))), np.zeros(len(crops))

    return predict


def quarter(cell):
    rows, columns = np.mgrid[: cell.shape[0], : cell.shape[1]]
    return cell & (rows < cell.shape[0] // 2) & (columns < cell.shape[1] // 2)


def uneven():
    """A cell with one bright quarter."""
    crop = ellipse(256, 30_000, colour=(150, 60, 170))
    crop[quarter(foreground(crop))] = (150, 200, 170)
    return crop


def test_the_map_lights_up_where_the_network_reads():
    crop = uneven()
    part = quarter(foreground(crop))
    shown = occlusion.explain(reads(part), crop)
    assert part.sum() / foreground(crop).sum() == pytest.approx(0.25, abs=0.01)
    assert occlusion.share_within(shown.values, part)["absolute"] > 0.8
    # The bright quarter speaks for ALL there, and against it where the network is turned round.
    assert shown.values[part].mean() > 0
    assert occlusion.explain(reads(part, -1), crop).values[part].mean() < 0
    assert shown.lowest < shown.probability


def test_a_network_that_reads_the_background_lights_up_nothing():
    crop = uneven()
    shown = occlusion.explain(reads(~foreground(crop)), crop)
    assert shown.covers > 20
    assert not shown.values.any()


def test_the_background_is_exactly_0_with_a_real_network(tiny, crop):
    shown = occlusion.explain(tiny.predict_each, crop)
    assert shown.values[foreground(crop)].any()
    assert not shown.values[~foreground(crop)].any()


def test_no_cover_touches_the_background(crop):
    seen = []

    def predict(crops):
        seen.extend(crops)
        return np.full(len(crops), 0.5), np.zeros(len(crops))

    occlusion.explain(predict, crop)
    outside = ~foreground(crop)
    assert all((one[outside] == crop[outside]).all() for one in seen)


def test_every_part_of_the_cell_is_covered_once_in_sum():
    cell = foreground(ellipse(256, 30_000))
    total = np.sum(list(occlusion._windows(cell)), axis=0)
    middle = np.s_[80:176, 80:176]
    assert total[middle] == pytest.approx(2.0, abs=1e-4)  # two grids
    assert (total[cell] > 0).mean() > 0.99


@pytest.mark.parametrize("area", [400, 5_000, 30_000, 52_000])
def test_a_large_cell_takes_no_longer_than_a_small_one(area):
    assert occlusion.explain(reads(np.zeros((256, 256), bool)), ellipse(256, area)).covers < 100


def test_two_runs_agree_to_the_digit(tiny, crop):
    first, second = (occlusion.explain(tiny.predict_each, crop) for _ in range(2))
    assert (first.values == second.values).all()
    assert first.probability == second.probability


@pytest.mark.slow
def test_with_randomised_weights_it_is_another_map(tmp_path, crop):
    """Adebayo et al., Sanity checks for saliency maps, 2018: a map that shows the network, not the picture.

    The built-in network against itself with every weight of its last layers shuffled.
    """
    import openvino

    whole = Classifier(bundles.read(SHIPPED))
    model = openvino.Core().read_model(SHIPPED / bundles.ENGINE)
    rng = np.random.default_rng(0)
    for node in [one for one in model.get_ordered_ops() if one.get_type_name() == "Constant"]:
        values = np.array(node.data)
        if values.size > 512 and values.dtype.kind in "if":
            shuffled = rng.permutation(values.ravel()).reshape(values.shape)
            node.output(0).replace(
                openvino.opset13.constant(shuffled, dtype=node.get_element_type()).output(0)
            )
    network = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def predict(crops):
        out = [network(one[None]) for one in crops]
        return np.array([float(one[0].item()) for one in out]), np.array(
            [float(one[1].item()) for one in out]
        )

    cell = foreground(crop)
    learned = occlusion.explain(whole.predict_each, crop).values[cell]
    random = occlusion.explain(predict, crop).values[cell]
    assert learned.any()
    assert np.abs(learned - random).max() > 0.1 * np.abs(learned).max()
    assert not random.any() or abs(np.corrcoef(learned, random)[0, 1]) < 0.5


def test_an_empty_picture_has_an_empty_map(tiny):
    shown = occlusion.explain(tiny.predict_each, np.zeros((256, 256, 3), np.uint8))
    assert shown.covers == 0 and not shown.values.any()


def test_shares_of_nothing_are_not_a_number():
    nothing = occlusion.share_within(np.zeros((4, 4)), np.ones((4, 4), bool))
    assert np.isnan(list(nothing.values())).all()
    values = np.array([[1.0, -3.0]])
    assert occlusion.share_within(values, np.array([[True, False]])) == {"absolute": 0.25, "positive": 1.0}
