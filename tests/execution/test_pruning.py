"""Pruning in rounds, by shares of MACs, of whole blocks and with zeros that grow, carried out to files that ship."""

import functools

import pytest

from advisor.schema import Plan
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8

from .digits import build, digits_dir, grey, loaded, trained
from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

ROUNDS = PruneChannels(ratio=0.5, target="macs", allocation="global", iterations=2, round_to=4, epochs=4)
SHALLOW = PruneBlocks(ratio=0.34, epochs=2)
THIN = PruneChannels(ratio=0.3, target="params", round_to=4, epochs=3)
# name: steps, largest size against the original's, largest loss in points of top-1
PLANS = {
    "half of the MACs in rounds": ((ROUNDS,), 0.75, 8),
    "fewer blocks, fewer parameters, int8": (
        (SHALLOW, THIN, StaticInt8(signedness="u8s8")), 0.6, 15,
    ),
    "zeros in rounds at the original's rate": (
        (Sparsify(sparsity=0.6, iterations=2, epochs=2, recovery="rewind"),), 1.01, 6,
    ),
}  # fmt: skip


@functools.cache
def carried_out(name):
    return run(Plan(steps=PLANS[name][0], runtime="onnxruntime"), model=loaded(original(PLANS[name][0])))


def original(steps):
    return deep() if SHALLOW in steps else trained()


@functools.cache
def deep():
    """Return a network of three residual blocks, trained on the digits."""
    import torch
    from torch import nn

    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader
    from advisor.execution.training import Training, fine_tune

    torch.set_num_threads(1)
    torch.manual_seed(0)
    block = type(build()[6])
    module = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        block(16), block(16), block(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip
    data = open_data(digits_dir(), 10)
    fine_tune(module, data.train, ImageReader(grey(), 1), Training(epochs=10, learning_rate=0.1))
    return module


@pytest.mark.parametrize("name", PLANS)
def test_the_file_is_smaller_nearly_as_good_and_as_previewed(name):
    record, out = carried_out(name)
    _, size, loss = PLANS[name]
    before, after = ((out / f"{which}.onnx").stat().st_size for which in ("baseline", "model"))
    assert after < size * before
    assert record.accuracy["original"] - record.accuracy["shipped"] < loss
    assert all(check.agrees for check in record.checks), record.checks
    assert len(record.steps) == len(PLANS[name][0])


def test_half_of_the_macs_goes_and_both_rounds_are_recorded():
    record, _ = carried_out("half of the MACs in rounds")
    macs = next(check.actual for check in record.checks if check.quantity == "macs")
    from advisor.profiling import profile_module

    assert macs / profile_module(trained(), (1, 1, 16, 16)).macs == pytest.approx(0.5, abs=0.05)
    assert record.resolved is not None
    assert record.resolved.steps[0].widths
    assert record.steps[0].settings["iterations"] == 2
    assert "MACs" in record.steps[0].done


def test_the_block_that_went_is_named_and_the_stored_network_loads_without_it():
    import numpy as np
    import torch

    from advisor.execution import load_pruned

    record, out = carried_out("fewer blocks, fewer parameters, int8")
    (path,) = record.steps[0].details["blocks"]
    module = load_pruned(out, deep())
    assert not list(module.get_submodule(path).parameters())
    batch = torch.from_numpy(np.zeros((1, 1, 16, 16), np.float32))
    with torch.inference_mode():
        assert module(batch).shape == (1, 10)


def test_zeros_are_in_the_file():
    import onnx
    from onnx import numpy_helper

    _, out = carried_out("zeros in rounds at the original's rate")
    kernels = [numpy_helper.to_array(t) for t in onnx.load(out / "model.onnx").graph.initializer]
    shares = [(kernel == 0).mean() for kernel in kernels if kernel.ndim == 4]
    assert shares
    assert min(shares) >= 0.59
