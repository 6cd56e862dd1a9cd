"""Every technique alone and combined, carried out on a small trained network: real effects on the files that ship."""

import functools

import pytest

from advisor.schema import Plan
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

INT8 = StaticInt8(signedness="u8s8")
# name: steps, largest size against the original's, largest loss in points of top-1
PLANS = {
    "spatial svd": ((LowRank(method="spatial_svd", rank_ratio=0.5, epochs=2),), 0.8, 6),
    "tucker, then int8": ((LowRank(method="tucker2", rank_ratio=0.6, epochs=2), INT8), 0.6, 8),
    "qat": ((QAT(signedness="u8s8", epochs=2),), 0.5, 4),
    "prune, then qat": ((PruneChannels(ratio=0.3, epochs=2), QAT(weights="per_tensor", epochs=1)), 0.5, 8),
    "zeros, then int8": ((Sparsify(sparsity=0.5, epochs=1), INT8), 0.6, 6),
    "int8 weights": ((WeightOnly(),), 0.5, 1),
    "int4 weights in groups": ((WeightOnly(bits=4, group_size=32),), 0.4, 4),
}


@functools.cache
def carried_out(name):
    return run(Plan(steps=PLANS[name][0], runtime="onnxruntime"))


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


def test_a_factorized_network_loads_again():
    import numpy as np
    import torch

    from advisor import runtimes
    from advisor.execution import load_pruned

    from .digits import trained

    _, out = carried_out("spatial svd")
    module = load_pruned(out, trained())
    batch = np.random.default_rng(0).standard_normal((1, 1, 16, 16)).astype(np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(batch)).numpy()
    found = runtimes.get("onnxruntime").load(out / "model.onnx", 1)(batch)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_zeros_survive_training_and_quantization():
    import onnx
    from onnx import numpy_helper

    _, out = carried_out("zeros, then int8")
    integers = [numpy_helper.to_array(t) for t in onnx.load(out / "model.onnx").graph.initializer if t.data_type == 3]
    kernels = [array for array in integers if array.ndim > 1]
    assert len(kernels) >= 4
    assert all((kernel == 0).mean() >= 0.49 for kernel in kernels)
