"""What a finished run's folder holds beside the files that run: plan, card, environment, checksums."""

import json

import pytest

from advisor.measurement.size import sha256
from advisor.schema import Measurement, Metric, Plan
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.weight_only.step import WeightOnly

from .carrying import few_images
from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

FIGURE = Measurement(
    metric=Metric.LATENCY, value=0.5, low=0.4, high=0.6, n=9, method="a clock", machine="m", runtime="r",
    baseline_value=1.0,
)  # fmt: skip
PLAN = Plan(steps=(PruneChannels(ratio=0.5, round_to=8, epochs=1), WeightOnly()), runtime="onnxruntime")


@pytest.fixture(scope="module")
def finished():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("advisor.execution.apply.measure_costs", lambda *_: (FIGURE,))
        return run(PLAN, data=few_images())


def test_every_file_is_named_with_its_checksum(finished):
    record, out = finished
    files = {a.file: a for a in record.artefacts}
    assert {p.name for p in out.iterdir()} == {*files, "run.json"}
    assert {"plan.json", "model_card.md", "recipe.md", "float.onnx", "weights.safetensors"} <= set(files)
    assert all(sha256(out / name) == a.sha256 for name, a in files.items())


def test_the_plan_is_there_as_asked_for_and_as_carried_out(finished):
    record, out = finished
    stored = json.loads((out / "plan.json").read_text())
    assert Plan.model_validate(stored["asked"]) == PLAN
    assert Plan.model_validate(stored["resolved"]) == (record.resolved or PLAN)
    assert stored["seed"] == 0


def test_the_environment_names_versions_processor_and_threads(finished):
    record, _ = finished
    assert {"machine", "python", "torch", "onnxruntime", "accelerate", "threads", "training_threads"} <= set(
        record.environment
    )
    assert len(record.model_digest) == 64


def test_the_model_card_tells_what_was_done_on_which_data_and_how_good_it_is(finished):
    record, out = finished
    card = (out / "model_card.md").read_text()
    for title in ("What was done", "Data", "Measured figures", "Files", "Limits", "How to make it again"):
        assert f"\n## {title}\n" in card
    assert "1. **prune_channels** (ratio 0.5" in card
    assert "fine-tuned 1 epochs" in card
    assert "| latency_ms | 0.500 ms | 0.400 to 0.600 ms | 1.00 ms | a clock |" in card
    assert f"| top-1 | {record.accuracy['shipped']:.2f} % | " in card
    assert f"{record.data.test} test images" in card
    assert all(note in card for note in record.notes)
    assert "not examined" in card


def test_weights_are_the_same_bytes_for_the_same_weights(finished, tmp_path):
    from advisor.execution import load_pruned
    from advisor.execution.pruned import save_weights, with_weights

    from .digits import trained

    _, out = finished
    module = load_pruned(out, trained())
    for name in ("a", "b", "c"):
        save_weights(module, trained(), tmp_path / name)
        assert (tmp_path / name).read_bytes() == (out / "weights.safetensors").read_bytes()
    assert with_weights(trained(), tmp_path / "a")[0].out_channels == 8


def test_a_block_that_was_left_out_is_stored_and_left_out_again(tmp_path):
    import torch

    from advisor.errors import RunError
    from advisor.execution.pruned import save_weights, with_weights
    from advisor.techniques.prune_blocks.skip import Skip, skip

    from .digits import build

    original, file = build().eval(), tmp_path / "weights.safetensors"
    module = build().eval()
    skip(module, "6")
    save_weights(module, original, file)
    again = with_weights(original, file)
    assert isinstance(again[6], Skip)
    image = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(again(image), module(image))
    with pytest.raises(RunError, match="do not belong"):
        with_weights(torch.nn.Sequential(torch.nn.Flatten()), file)
