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
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    found = compare(Recorder("a", log), Recorder("b", log), threads=1, rounds=7)
    assert "".join(name for name, _, _ in log) == "abbaabbaabbaab"
    assert {(shape, dtype) for _, shape, dtype in log} == {((1, 2), np.dtype(np.float32))}
    assert len(found.baseline.rounds) == len(found.candidate.rounds) == 7


class Played:
    """A session whose runs take what a list says, by a clock of its own."""

    input_shape = (1, 2)

    def __init__(self, clock, seconds):
        self._clock, self._seconds = clock, iter(seconds)

    def __call__(self, batch):
        self._clock[0] += next(self._seconds)


@pytest.mark.parametrize(
    ("busy", "rounds"),
    [(0, 7), (5, 11), (100, 27)],  # of eleven rounds, five slow ones no longer move the median
    ids=["quiet", "busy at first", "busy all the time"],
)
def test_a_busy_machine_is_measured_for_longer(busy, rounds, monkeypatch):
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    clock = [0.0]
    monkeypatch.setattr(latency.time, "process_time", lambda: clock[0])
    quiet = Played(clock, (1.0 for _ in range(50)))
    slow = Played(clock, (3.0 if 0 < turn <= busy else 1.0 for turn in range(50)))
    found = compare(quiet, slow, threads=1)
    assert len(found.baseline.rounds) == len(found.candidate.rounds) == rounds
    assert found.conclusive is (busy < 100)


@pytest.mark.parametrize(("threads", "clock"), [(1, "CPU time"), (2, "wall clock")])
def test_one_thread_is_timed_by_cpu_time(threads, clock, monkeypatch):
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    record = compare(Recorder("a", []), Recorder("b", []), threads=threads).measurement("rt", "here")
    assert clock in record.method
    assert 7 <= latency.ROUNDS <= record.n <= latency.MOST_ROUNDS
    assert "load average" in record.method
