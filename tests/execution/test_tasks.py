"""Tasks: losses, metrics against independent oracles, targets that follow their images, and comparisons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from advisor.errors import DataError, NotApplicable
from advisor.execution.geometry import fit
from advisor.execution.tasks import Agreement, Classification, Detection, OwnTask, Segmentation
from advisor.measurement.comparison import compared

RNG = np.random.default_rng(0)


def test_top1_is_compared_image_by_image():
    task = Classification()
    scores = np.eye(3, dtype=np.float32)
    before = task.observe((scores[[0, 1, 2, 0]],), [0, 1, 2, 1])
    after = task.observe((scores[[0, 1, 0, 0]],), [0, 1, 2, 1])
    found = task.compare(before, after, 0)
    assert (found.before, found.after, found.drop, found.agreement) == (75.0, 50.0, 25.0, 75.0)
    assert found.low < found.delta < found.high
    assert found.measurement("rt", "here", "split").method.startswith("top-1 of the shipped artefact")


@pytest.mark.parametrize("classes", [2, 5])
def test_the_mean_iou_is_that_of_torchmetrics(classes):
    torch = pytest.importorskip("torch")
    from torchmetrics.classification import MulticlassJaccardIndex

    scores = RNG.normal(size=(6, classes, 8, 9)).astype(np.float32)
    masks = RNG.integers(0, classes, (6, 8, 9))
    masks[RNG.random(masks.shape) < 0.1] = 255
    task = Segmentation()
    found = task.score(task.observe((scores[:4],), list(masks[:4])) + task.observe((scores[4:],), list(masks[4:])))
    oracle = MulticlassJaccardIndex(classes, ignore_index=255)
    assert found == pytest.approx(100 * float(oracle(torch.from_numpy(scores), torch.from_numpy(masks))), abs=1e-3)


def test_scores_are_enlarged_to_the_map_and_one_channel_means_two_classes():
    task = Segmentation()
    scores = np.array([[[[-1.0, 1.0], [-1.0, 1.0]]]], dtype=np.float32)
    wanted = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    assert task.score(task.observe((scores,), [wanted])) == 100.0


def test_the_loss_of_a_segmentation_ignores_what_does_not_count():
    torch = pytest.importorskip("torch")
    scores = torch.zeros(1, 2, 2, 2)
    scores[0, 1] = 5.0
    targets = torch.tensor([[[1, 1], [0, 255]]])
    alone = Segmentation().loss(scores, torch.tensor([[[1, 1], [255, 255]]]))
    assert Segmentation().loss(scores, targets) > 1 > alone


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(8, 60), height=st.integers(8, 60), size=st.sampled_from([(16, 16), (12, 20)]),
    crop=st.sampled_from([1.0, 0.875]), mode=st.sampled_from(["center", "squash", "border"]), data=st.data(),
)  # fmt: skip
def test_boxes_follow_their_image(width, height, size, crop, mode, data):
    """A white block in a black image ends where its box ends."""
    left, top = data.draw(st.integers(0, width - 5)), data.draw(st.integers(0, height - 5))
    right, bottom = data.draw(st.integers(left + 4, width)), data.draw(st.integers(top + 4, height))
    pixels = np.zeros((height, width), np.uint8)
    pixels[top:bottom, left:right] = 255
    geometry = fit((width, height), size, crop, mode)
    box = geometry.boxes(np.array([[left, top, right, bottom]]))[0]
    assert (box >= 0).all()
    assert (box <= [size[1], size[0]] * 2).all()
    if min(box[2] - box[0], box[3] - box[1]) < 2:
        return
    moved = geometry.image(Image.fromarray(pixels), Image.Resampling.NEAREST)
    assert moved.size == (size[1], size[0])
    rows, columns = np.nonzero(np.asarray(moved))
    np.testing.assert_allclose(box, [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], atol=1.01)
    np.testing.assert_array_equal(geometry.mask(pixels, 0), np.asarray(moved))


def detections(shift=0.0):
    boxes = np.array([[1, 1, 9, 9], [20, 20, 30, 30]], dtype=np.float32)
    return {"boxes": boxes, "labels": np.array([1, 2])}, (
        (boxes + shift)[None], np.array([[0.9, 0.8]], np.float32), np.array([[1, 2]])
    )  # fmt: skip


@pytest.mark.parametrize(("shift", "low", "high"), [(0.0, 100, 100), (1.0, 20, 80), (15.0, 0, 0)])
def test_detections_are_judged_by_coco_map(shift, low, high):
    pytest.importorskip("faster_coco_eval")
    wanted, outputs = detections(shift)
    task = Detection()
    assert low <= task.score(task.observe(outputs, [wanted])) <= high


def test_the_average_precision_is_that_of_cocos_own_code():
    pytest.importorskip("torchmetrics")
    pytest.importorskip("pycocotools")
    from torchmetrics.detection import MeanAveragePrecision

    from advisor.execution.tasks.detection import _tensors

    seen = []
    for _ in range(12):
        corners = RNG.uniform(0, 40, (5, 2))
        boxes = np.concatenate([corners, corners + RNG.uniform(5, 20, (5, 2))], axis=1).astype(np.float32)
        wanted = {"boxes": boxes[:4], "labels": RNG.integers(0, 3, 4)}
        found = {"boxes": boxes + RNG.normal(0, 2, (5, 4)).astype(np.float32), "scores": RNG.random(5),
                 "labels": np.append(wanted["labels"], 1)}  # fmt: skip
        seen.append((found, wanted))
    oracle = MeanAveragePrecision(backend="pycocotools")
    oracle.update([_tensors(f, masks=False) for f, _ in seen], [_tensors(w, masks=False) for _, w in seen])
    assert Detection().score(seen) == pytest.approx(100 * float(oracle.compute()["map"]), abs=1e-3)


def test_instance_masks_are_judged_by_their_pixels():
    pytest.importorskip("faster_coco_eval")
    mask = np.zeros((1, 32, 32), bool)
    mask[0, 4:20, 4:20] = True
    wanted = {"boxes": np.array([[4, 4, 20, 20]], np.float32), "labels": np.array([1]), "masks": mask}
    task = Detection(decode=lambda outputs: [{**wanted, "scores": np.array([0.9])}], masks=True)
    assert task.score(task.observe((np.zeros((1, 1)),), [wanted])) == 100.0
    moved = task.fit(wanted, fit((32, 32), (16, 16)))
    assert moved["masks"].shape == (1, 16, 16)
    assert moved["masks"].sum() == 64


def test_boxes_outside_the_crop_are_dropped():
    geometry = fit((100, 20), (20, 20))
    moved = Detection().fit({"boxes": [[0, 0, 10, 10], [45, 5, 60, 15]], "labels": [3, 4]}, geometry)
    assert moved["labels"].tolist() == [4]
    np.testing.assert_allclose(moved["boxes"], [[5, 5, 20, 15]])


def test_an_own_task_may_be_better_when_lower():
    task = OwnTask(
        [], None, lambda out, wanted: np.abs(out[:, 0] - wanted), metric="error", unit="years", better="lower"
    )
    before = task.observe((np.array([[1.0], [2.0], [3.0]]),), [1.0, 2.0, 3.0])
    after = task.observe((np.array([[2.0], [3.0], [5.0]]),), [1.0, 2.0, 3.0])
    found = task.compare(before, after, 0)
    assert (found.before, found.after, found.delta) == (0.0, pytest.approx(4 / 3), pytest.approx(-4 / 3))
    assert found.low < found.delta < found.high < 0
    record = found.measurement("rt", "here", "split")
    assert record.method.startswith("error of the shipped artefact")
    assert "0.00 years before, 1.33 years after" in record.note


def test_the_bootstrap_agrees_with_the_standard_error_of_a_mean():
    task = OwnTask([], None, None)
    before, after = RNG.normal(0, 1, 400), RNG.normal(0.5, 2, 400)
    found = compared(task, list(before), list(after), 1)
    assert found.standard_error == pytest.approx(np.std(after - before) / 20, rel=0.15)
    assert found == compared(task, list(before), list(after), 1)


@pytest.mark.parametrize(
    ("before", "after", "figure", "name"),
    [
        (np.eye(4), np.eye(4)[[0, 1, 2, 2]], 75.0, "agreement"),
        (np.eye(2)[None], np.eye(2)[None], 100.0, "similarity"),
        (RNG.normal(size=(3, 5, 8, 8)), None, 100.0, "agreement"),
    ],
    ids=["classes", "features", "maps"],
)
def test_without_labels_likeness_is_named_what_it_is(before, after, figure, name):
    task, after = Agreement(), before if after is None else after
    seen = [task.observe((side.astype(np.float32),), [None] * len(side)) for side in (before, after)]
    found = task.compare(*seen, 0)
    assert found.drop is None
    assert found.measurement("rt", "here", "split") is None
    assert found.figures[name] == pytest.approx(figure, abs=0.1)
    assert "original" not in found.figures


WRONG = {
    "a mask of another size": (lambda: Segmentation().fit(np.zeros((4, 4), int), fit((5, 4), (4, 4))), DataError),
    "a mask of floats": (lambda: Segmentation().fit(np.zeros((4, 4)), fit((4, 4), (4, 4))), DataError),
    "a class too many": (
        lambda: Segmentation().observe((np.zeros((1, 2, 2, 2)),), [np.full((2, 2), 7)]),
        DataError,
    ),
    "no boxes": (lambda: Detection().fit([1, 2], fit((4, 4), (4, 4))), DataError),
    "boxes without labels": (
        lambda: Detection().fit({"boxes": [[0, 0, 1, 1]], "labels": []}, fit((4, 4), (4, 4))),
        DataError,
    ),
    "outputs of a raw detector": (lambda: Detection().observe((np.zeros((1, 84, 100)),), [{}]), NotApplicable),
    "no loss of a detector": (lambda: Detection().loss(None, None), NotApplicable),
    "too few figures": (
        lambda: OwnTask([], None, lambda out, wanted: [1.0]).observe((np.zeros((2, 1)),), [0, 0]),
        DataError,
    ),
    "figures that are no numbers": (
        lambda: OwnTask([], None, lambda out, wanted: [np.nan]).observe((np.zeros((1, 1)),), [0]),
        DataError,
    ),
    "neither higher nor lower": (lambda: OwnTask([], None, None, better="more"), DataError),
}


@pytest.mark.parametrize("name", WRONG)
def test_targets_and_outputs_that_do_not_fit_are_refused_with_a_way_out(name):
    wrong, kind = WRONG[name]
    with pytest.raises(kind) as caught:
        wrong()
    assert caught.value.remedy
