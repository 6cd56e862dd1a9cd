import numpy as np
import pytest

from advisor.measurement import latency
from advisor.measurement.latency import Timing, compare, doubt


def timing(*values):
    return Timing(tuple(float(v) for v in values))


@pytest.mark.parametrize(
    ("baseline", "candidate", "conclusive"),
    [
        ((10, 10, 10), (5, 5, 5), True),
        ((10, 10.5, 11), (5, 5.2, 5.4), True),
        ((10, 10, 10), (5, 9, 9), False),
        ((10, 20, 20), (10, 10, 10), False),
    ],
    ids=["quiet", "small noise", "candidate disturbed", "baseline disturbed"],
)
def test_medians_and_minima_must_agree(baseline, candidate, conclusive):
    reason = doubt(timing(*baseline), timing(*candidate))
    assert (reason == "") is conclusive
    assert conclusive or "the machine was busy" in reason


def test_a_timing_shows_median_quartiles_and_minimum():
    found = timing(4, 1, 2, 3, 5)
    assert (found.median, found.minimum, found.quartiles) == (3, 1, (2, 4))


class Recorder:
    input_shape = (1, 2)

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __call__(self, batch):
        self.log.append((self.name, batch.shape, batch.dtype))


def test_rounds_alternate_and_start_with_each_side_in_turn(monkeypatch):
    log = []
    monkeypatch.setattr(latency, "_repeats", lambda run: 1)
    found = compare(Recorder("a", log), Recorder("b", log), threads=1, rounds=7)
    assert "".join(name for name, _, _ in log) == "abbaabbaabbaab"
    assert {(shape, dtype) for _, shape, dtype in log} == {((1, 2), np.dtype(np.float32))}
    assert len(found.baseline.rounds) == len(found.candidate.rounds) == 7


@pytest.mark.parametrize(("threads", "clock"), [(1, "CPU time"), (2, "wall clock")])
def test_one_thread_is_timed_by_cpu_time(threads, clock, monkeypatch):
    monkeypatch.setattr(latency, "_repeats", lambda run: 1)
    record = compare(Recorder("a", []), Recorder("b", []), threads=threads).measurement("rt", "here")
    assert clock in record.method
    assert record.n == latency.ROUNDS >= 7
    assert "load average" in record.method
