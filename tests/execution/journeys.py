"""Applying plans to the digits network with short measurements."""

import functools
import tempfile
from pathlib import Path

import pytest

from .digits import digits_dir, loaded


@pytest.fixture(autouse=True)
def fast_measurement(monkeypatch):
    """Measure with fewer rounds and processes: these tests look at what is recorded, not at how long it took."""
    monkeypatch.setattr("advisor.measurement.latency.ROUND_SECONDS", 0.01)
    monkeypatch.setattr("advisor.measurement.latency.MOST_ROUNDS", 7)
    monkeypatch.setattr("advisor.measurement.memory.PROCESSES", 1)


def run(plan, *, model=None, data=None, out=None, device=None, **predicted):
    """Apply a plan to the digits network and return the record and its folder."""
    from advisor.devices import load_device
    from advisor.execution import apply_plan

    model = model or loaded()
    out = out or Path(tempfile.mkdtemp(prefix="run-")) / "out"
    record = apply_plan(
        plan,
        model,
        data_dir=digits_dir() if data is None else data,
        out=out,
        device=device or load_device("host"),
        **predicted,
    )
    return record, out


@functools.cache
def pruned_int8():
    """Return record and folder of the full journey: prune half, fine-tune, static int8."""
    from advisor.schema import Estimate, Metric, Plan
    from advisor.techniques.prune_channels.step import PruneChannels
    from advisor.techniques.static_int8.step import StaticInt8

    def guess(metric, low, high):
        return Estimate(metric=metric, low=low, mid=(low + high) / 2, high=high, basis="assumed", predictor="test")

    steps = (PruneChannels(ratio=0.5, round_to=8, epochs=4), StaticInt8(signedness="u8s8"))
    predicted = {
        Metric.SIZE: guess(Metric.SIZE, 0.01, 0.05),
        Metric.LATENCY: guess(Metric.LATENCY, 1e-6, 1e3),
        Metric.MEMORY: guess(Metric.MEMORY, 1e4, 2e4),
        Metric.ENERGY: guess(Metric.ENERGY, 1, 2),
    }
    return run(Plan(steps=steps, runtime="onnxruntime"), predicted=predicted, predicted_here=predicted)
