"""Every technique alone and combined on the ResNet-20 of the shared cases, trained for CIFAR-10: minutes each."""

import functools

import pytest

from advisor.schema import Plan
from advisor.techniques.distil.step import Distil
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly
from tests.execution.shared_cases import CASES, resnet20, unpack

pytestmark = [
    pytest.mark.study,
    pytest.mark.real,
    pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here"),
]

INT8 = StaticInt8(signedness="u8s8")
CUT = PruneChannels(ratio=0.3, epochs=2)
LOW = LowRank(method="spatial_svd", rank_ratio=0.6, epochs=1)
TAUGHT = Distil(student="timm:resnet10t", size=32, epochs=1)
# name: steps, largest size against the original's, largest loss in points of top-1
PLANS = {
    "int8": ((INT8,), 0.35, 0.6),
    "int8 by mse, biases corrected": ((INT8.model_copy(update={"method": "mse", "bias_correction": True}),), 0.35, 0.6),
    "int8 weights": ((WeightOnly(),), 0.45, 0.6),
    "int4 weights": ((WeightOnly(bits=4, group_size=32),), 0.45, 8),
    "QAT": ((QAT(signedness="u8s8", epochs=1),), 0.35, 1.5),
    "pruned": ((CUT,), 0.8, 8),
    "blocks pruned": ((PruneBlocks(ratio=0.3, epochs=2),), 0.95, 12),
    "low rank": ((LOW,), 0.85, 5),
    "zeros": ((Sparsify(sparsity=0.5, epochs=1),), 1.05, 4),
    "smaller images": ((LowerResolution(height=24, width=24, epochs=1),), 1.05, 12),
    "taught": ((TAUGHT,), 20, 70),
    "pruned, then int8": ((CUT, INT8), 0.3, 9),
    "pruned, then QAT": ((CUT, QAT(signedness="u8s8", epochs=1)), 0.3, 9),
    "low rank, then int8": ((LOW, INT8), 0.4, 6),
    "low rank, pruned, int8": ((LOW, CUT, INT8), 0.4, 14),
    "zeros, then int8": ((Sparsify(sparsity=0.5, epochs=1), INT8), 0.4, 5),
    "pruned, int8 weights": ((CUT, WeightOnly()), 0.4, 9),
    "smaller images, then int8": ((LowerResolution(height=24, width=24, epochs=1), INT8), 0.4, 13),
    "smaller images, pruned, int8": ((LowerResolution(height=24, width=24, epochs=1), CUT, INT8), 0.4, 20),
    "taught, then int8": ((TAUGHT, INT8), 6, 70),
}


@functools.cache
def network():
    from advisor.loading import load

    return load(resnet20(), input_shape=(1, 3, 32, 32))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar")
    for part, name in (("train", "train"), ("calib", "calib"), ("eval", "test")):
        unpack(part, folder / name)
    return folder


@pytest.mark.parametrize("name", PLANS)
def test_the_file_is_smaller_and_nearly_as_good(name, images, tmp_path):
    from advisor.devices import load_device
    from advisor.execution import apply_plan

    steps, size, loss = PLANS[name]
    plan = Plan(steps=steps, runtime="onnxruntime", threads=1)
    record = apply_plan(plan, network(), data_dir=images, out=tmp_path / "run", device=load_device("host"))
    before, after = ((tmp_path / "run" / f"{which}.onnx").stat().st_size for which in ("baseline", "model"))
    assert after < size * before
    assert record.accuracy["original"] > 86
    assert record.accuracy["original"] - record.accuracy["shipped"] < loss
    assert all(check.agrees for check in record.checks)
