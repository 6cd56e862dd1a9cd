import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.measurement.accuracy import Paired, observe, pair, wilson


def test_pairing_counts_who_was_right_where():
    labels, before, after = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 0, 0]), np.array([0, 1, 1, 1, 0])
    found = pair(labels, before, after)
    assert found == Paired(images=5, both=2, lost=1, won=1, agree=3)
    assert (found.before, found.after, found.delta, found.agreement) == (60.0, 60.0, 0.0, 60.0)


@pytest.mark.parametrize(
    ("hits", "images", "low", "high"),
    [(50, 100, 40.38, 59.62), (0, 10, 0.0, 27.75), (950, 1000, 93.47, 96.19)],
)
def test_the_interval_of_a_proportion_is_wilsons(hits, images, low, high):
    assert wilson(hits, images) == pytest.approx((low, high), abs=0.01)


@given(st.tuples(*[st.integers(0, 200)] * 4).filter(lambda n: sum(n) > 0))
def test_the_paired_interval_holds_the_difference_and_narrows_with_images(counts):
    both, lost, won, _neither = counts
    found = Paired(images=sum(counts), both=both, lost=lost, won=won, agree=both)
    low, high = found.interval
    assert low <= found.delta <= high
    many = Paired(images=100 * sum(counts), both=100 * both, lost=100 * lost, won=100 * won, agree=both)
    assert many.interval[1] - many.interval[0] < high - low


def test_no_changed_prediction_still_leaves_doubt_on_few_images():
    low, high = Paired(images=50, both=45, lost=0, won=0, agree=50).interval
    assert low < 0 < high


class Fixed:
    """A session of batch 4 that reads its prediction off the first pixel."""

    input_shape = (4, 1, 2, 2)

    def outputs(self, batch):
        assert batch.shape == self.input_shape
        return (np.eye(10, dtype=np.float32)[batch[:, 0, 0, 0].astype(int)],)


def test_a_short_last_batch_is_filled_and_its_filling_not_counted():
    values = np.arange(6, dtype=np.float32)
    images = np.ones((6, 1, 2, 2), np.float32) * values[:, None, None, None]
    seen = []
    batches = [(images[:4], values[:4]), (images[4:], values[4:])]
    (found,) = observe(
        [Fixed()], batches, lambda outputs, known: [*zip(outputs[0].argmax(1), known, strict=True)], seen.append
    )
    assert [(int(a), int(b)) for a, b in found] == [(i, i) for i in range(6)]
    assert seen == [4, 2]


class Slow(Fixed):
    """The earlier a batch, the longer it takes; counts how many run at a time."""

    def __init__(self):
        self.running, self.most = 0, 0
        self._lock = threading.Lock()

    def outputs(self, batch):
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.002 * (10 - float(batch[0, 0, 0, 0])))
        with self._lock:
            self.running -= 1
        return super().outputs(batch)


@pytest.mark.parametrize("callers", [1, 3])
def test_answers_of_several_callers_come_in_the_order_of_the_images(callers):
    session, read = Slow(), []

    def batches():
        for value in range(10):
            read.append(value)
            assert len(read) - len(seen) <= callers + 2  # images are not read far ahead
            yield np.full((4, 1, 2, 2), value, np.float32), [value] * 4

    seen = []
    (found,) = observe(
        [session], batches(), lambda out, known: [*zip(out[0].argmax(1), known, strict=True)], seen.append, callers
    )
    assert [(int(a), b) for a, b in found] == [(i, i) for i in range(10) for _ in range(4)]
    assert session.most == callers


@pytest.mark.parametrize("callers", [1, 3])
def test_two_sessions_answer_to_the_same_images_which_are_read_once(callers):
    class Next(Fixed):
        def outputs(self, batch):
            return super().outputs(batch + 1)

    batches = iter([(np.full((4, 1, 2, 2), value, np.float32), [value] * 4) for value in range(3)])
    seen = []
    found = observe([Fixed(), Next()], batches, lambda out, _: list(out[0].argmax(1)), seen.append, callers)
    assert found == [[0] * 4 + [1] * 4 + [2] * 4, [1] * 4 + [2] * 4 + [3] * 4]
    assert seen == [4] * 6  # every session over every batch


def test_a_batch_that_cannot_be_run_is_an_error():
    batches = [(np.ones((4, 1, 3, 3), np.float32), [1] * 4)] * 3
    with pytest.raises(AssertionError):
        observe([Fixed()], batches, lambda *_: [], callers=2)
