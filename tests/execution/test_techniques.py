"""Every technique alone and combined, carried out on a small trained network: real effects on the files that ship."""

import functools

import pytest

from advisor.schema import Plan
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.qat.step import QAT
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

from .digits import loaded, trained
from .journeys import fast_measurement, run  # noqa: F401 - a fixture
from .vit import trained_transformer

pytestmark = pytest.mark.real

INT8 = StaticInt8(signedness="u8s8")
NARROW = PruneTransformer(mlp_ratio=0.5, head_ratio=0.25, epochs=2)
# name: steps, largest size against the original's, largest loss in points of top-1
PLANS = {
    "spatial svd": ((LowRank(method="spatial_svd", rank_ratio=0.5, epochs=2),), 0.8, 6),
    "tucker, then int8": ((LowRank(method="tucker2", rank_ratio=0.6, epochs=2), INT8), 0.6, 8),
    "qat": ((QAT(signedness="u8s8", epochs=2),), 0.5, 4),
    "prune, then qat": ((PruneChannels(ratio=0.3, epochs=2), QAT(weights="per_tensor", epochs=1)), 0.5, 8),
    "zeros, then int8": ((Sparsify(sparsity=0.5, epochs=1), INT8), 0.6, 6),
    "smaller images, then int8": ((LowerResolution(height=12, width=12, epochs=2), INT8), 0.6, 10),
    "int8 weights": ((WeightOnly(),), 0.5, 1),
    "int4 weights in groups": ((WeightOnly(bits=4, group_size=32),), 0.4, 4),
    "fewer heads and units": ((NARROW,), 0.7, 6),
    "fewer heads and units, then dynamic int8": ((NARROW, DynamicInt8()), 0.6, 6),
    "fewer heads and units, then int8": ((NARROW, INT8), 0.8, 8),
}


@functools.cache
def carried_out(name):
    steps = PLANS[name][0]
    return run(Plan(steps=steps, runtime="onnxruntime"), model=loaded(original(steps)))


def original(steps):
    return trained_transformer() if NARROW in steps else trained()


@pytest.mark.parametrize("name", PLANS)
def test_the_file_is_smaller_and_nearly_as_good(name):
    record, out = carried_out(name)
    _, size, loss = PLANS[name]
    before, after = ((out / f"{which}.onnx").stat().st_size for which in ("baseline", "model"))
    assert after < size * before
    assert record.accuracy["original"] > 90
    assert record.accuracy["original"] - record.accuracy["shipped"] < loss
    assert len(record.steps) == len(PLANS[name][0])


@pytest.mark.parametrize("name", PLANS)
def test_the_real_network_equals_its_preview(name):
    record, _ = carried_out(name)
    assert [check.quantity for check in record.checks] == ["macs", "params"]
    assert all(check.agrees for check in record.checks), record.checks


@pytest.mark.parametrize("name", ["spatial svd", "fewer heads and units"])
def test_a_network_of_another_structure_loads_again(name):
    import numpy as np
    import torch

    from advisor import runtimes
    from advisor.execution import load_pruned

    _, out = carried_out(name)
    module = load_pruned(out, original(PLANS[name][0]))
    batch = np.random.default_rng(0).standard_normal((1, 1, 16, 16)).astype(np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(batch)).numpy()
    found = runtimes.get("onnxruntime").load(out / "model.onnx", 1)(batch)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_narrow_blocks_are_recorded_and_run_in_integers():
    record, _ = carried_out("fewer heads and units, then dynamic int8")
    cut = record.steps[0]
    assert cut.details["heads"] == {"blocks.0.attn.qkv": [4, 3]}
    assert cut.details["hidden"] == {"blocks.0.mlp.fc1": [128, 64]}
    assert cut.done.startswith("cut 1 of 4 heads and 64 of 128 hidden units")
    assert cut.details["epochs"] == 2
    assert int(record.environment["heavy_int8"]) >= 4


def test_zeros_survive_training_and_quantization():
    import onnx
    from onnx import numpy_helper

    _, out = carried_out("zeros, then int8")
    integers = [numpy_helper.to_array(t) for t in onnx.load(out / "model.onnx").graph.initializer if t.data_type == 3]
    kernels = [array for array in integers if array.ndim > 1]
    assert len(kernels) >= 4
    assert all((kernel == 0).mean() >= 0.49 for kernel in kernels)


def test_a_network_for_smaller_images_is_judged_on_smaller_images():
    from advisor import runtimes
    from advisor.execution.preprocessing import read

    _, out = carried_out("smaller images, then int8")
    session = runtimes.get("onnxruntime").load(out / "model.onnx", 1)
    assert session.input_shape == (1, 1, 12, 12)
    assert read(out).size == (12, 12)


def test_tokens_of_a_transformer_follow_the_size_and_a_fixed_network_is_refused():
    import timm
    import torch
    from torch import nn

    from advisor.errors import NotApplicable
    from advisor.techniques.resolution.apply import apply
    from advisor.techniques.subject import Subject

    step = LowerResolution(height=64, width=32)
    vit = timm.create_model("vit_tiny_patch16_224", img_size=96, num_classes=5).eval()
    change = apply(step, Subject((1, 3, 96, 96), folder=None, module=vit))
    assert change.module(torch.zeros(1, 3, 64, 32)).shape == (1, 5)
    assert change.module.pos_embed.shape[1] == 4 * 2 + 1
    assert vit.pos_embed.shape[1] == 6 * 6 + 1
    fixed = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4 * 96 * 96, 5))
    with pytest.raises(NotApplicable, match="64x32"):
        apply(step, Subject((1, 3, 96, 96), folder=None, module=fixed))
