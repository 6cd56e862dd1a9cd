"""Whole runs on other data than image folders: the examples of docs/data.md, lists, archives, no labels; verified."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import RunError
from advisor.schema import Metric, Plan
from advisor.techniques.static_int8.step import StaticInt8

from .digits import SIZE, digits_dir, grey, loaded
from .journeys import fast_measurement, run  # noqa: F401  (a fixture)

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "data.md"
INT8 = Plan(steps=(StaticInt8(),), runtime="onnxruntime")


def written_examples(folder):
    """Write the modules that the page shows and return their names."""
    found = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    for name, code in found:
        (folder / name).write_text(code)
    return [name for name, _ in found]


def network(kind):
    """A small network for each example; those for maps are right by construction."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    if kind == "ink":
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 1)
        ), 8
    if kind == "bright":
        layer = nn.Conv2d(1, 2, 1)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1))
            layer.bias.copy_(torch.tensor([1.0, -1.0]) * (0.5 - 0.3) / 0.35)
        return nn.Sequential(layer), 16
    layer = nn.Conv2d(1, 1, 8, stride=8)
    with torch.no_grad():
        layer.weight.fill_(1 / 64)
    return nn.Sequential(layer), 32


def model_of(kind):
    from dataclasses import replace

    module, side = network(kind)
    shape = (1, 1, side, side)
    return loaded(module=module.eval(), shape=shape, classes=None, preprocessing=replace(grey(), size=(side, side)))


def test_the_page_shows_three_tasks(tmp_path):
    assert written_examples(tmp_path) == ["pictures.py", "regions.py", "squares.py"]


@pytest.mark.parametrize(
    ("data", "metric", "least"),
    [
        ("python:pictures:ink", "mean error", None),
        ("python:regions:bright", "mIoU", 99.0),
        ("python:squares:squares", "mAP", 99.0),
    ],
)
def test_the_examples_of_the_page_are_applied_and_verified(tmp_path, monkeypatch, data, metric, least):
    from advisor.verification import verify_run

    if metric == "mAP":
        pytest.importorskip("faster_coco_eval")
    monkeypatch.chdir(tmp_path)
    written_examples(tmp_path)
    record, out = run(INT8, model=model_of(data.split(":")[2]), data=data)
    measured = next(m for m in record.measurements if m.metric is Metric.ACCURACY)
    assert record.data.metric == metric
    assert measured.method.startswith(f"{metric} of the shipped artefact")
    assert measured.low <= measured.value <= measured.high
    if least is not None:
        assert record.accuracy["original"] > least
        assert record.accuracy["shipped"] > 90
    verdict = next(v for v in record.verdicts if v.metric is Metric.ACCURACY)
    assert verdict.hit is None
    unasked = verify_run(out)
    assert any("runs code" in note for note in unasked.notes)
    again = verify_run(out, data=data)
    assert again.accuracy == record.accuracy
    assert not any("not measured again" in note for note in again.notes)


def test_a_regression_is_trained_by_its_own_loss(tmp_path, monkeypatch):
    from advisor.techniques.prune_channels.step import PruneChannels

    monkeypatch.chdir(tmp_path)
    written_examples(tmp_path)
    plan = Plan(steps=(PruneChannels(ratio=0.25, round_to=4, epochs=2),), runtime="onnxruntime")
    record, _ = run(plan, model=model_of("ink"), data="python:pictures:ink")
    assert record.accuracy["shipped"] < record.accuracy["original"] / 2  # untrained before
    assert next(m for m in record.measurements if m.metric is Metric.ACCURACY).value > 0


def digits_arrays():
    from PIL import Image

    files = sorted(digits_dir().glob("*/*.png"))[::6]
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    return pixels, np.array([int(file.parent.name) for file in files])


def npz(folder):
    pixels, labels = digits_arrays()
    np.savez(folder / "digits.npz", images=pixels, labels=labels)
    return folder / "digits.npz"


def listed(folder):
    files = sorted(digits_dir().glob("*/*.png"))[::6]
    rows = [json.dumps({"path": str(file), "label": file.parent.name}) for file in files]
    (folder / "digits.jsonl").write_text("\n".join(rows))
    return folder / "digits.jsonl"


@pytest.mark.parametrize("write", [npz, listed], ids=lambda f: f.__name__)
def test_lists_and_archives_are_applied_and_their_split_is_found_again(tmp_path, write):
    from advisor.execution.split_record import reopen
    from advisor.verification import verify_run

    data = write(tmp_path)
    record, out = run(INT8, data=data)
    kept = json.loads((out / "split.json").read_text())["parts"]
    assert {part: len(items) for part, items in kept.items()} == {
        part: getattr(record.data, part) for part in ("train", "selection", "calibration", "test")
    }
    names = [name for items in kept.values() for name, _ in items]
    assert len(names) == len(set(names)) == 300
    assert record.accuracy["original"] > 90
    moved = data.rename(tmp_path / f"moved{data.suffix}")
    assert any("not measured again" in note for note in verify_run(out).notes)
    assert reopen(record.data, out, moved).digest == record.data.digest
    (out / "split.json").write_text("{}")
    with pytest.raises(RunError, match=r"split\.json is damaged"):
        verify_run(out)


def test_without_labels_agreement_is_told_and_accuracy_is_not(tmp_path):
    from advisor.execution.model_card import card
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page
    from advisor.verification import verify_run

    for file in sorted(digits_dir().glob("*/*.png"))[::12]:
        shutil.copy(file, tmp_path / file.name)
    record, out = run(INT8, data=tmp_path)
    assert record.accuracy.keys() == {"agreement", "agreement_low", "agreement_high"}
    assert record.accuracy["agreement"] > 90
    assert not [m for m in record.measurements if m.metric is Metric.ACCURACY]
    assert record.data.test == round(0.25 * 150)
    assert any("accuracy was not measured" in note for note in record.notes)
    said = to_markdown(run_page(record)) + "\n".join(card(record))
    assert "same answers as the original" in said
    assert "top-1" not in said
    assert "Nothing is known about the accuracy" in said
    assert verify_run(out).accuracy == record.accuracy


def test_a_dataset_itself_is_data(tmp_path):
    pixels, labels = digits_arrays()
    record, _ = run(INT8, data=[(p, int(label)) for p, label in zip(pixels, labels, strict=True)])
    assert record.data.origin == "<list>"
    assert record.accuracy["original"] > 90
    assert pixels.shape[1:] == (SIZE, SIZE)
