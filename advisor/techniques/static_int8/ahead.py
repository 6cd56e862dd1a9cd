"""The session and the reader of a calibrator: a batch runs on every CPU while the next ones are read."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from advisor.cpus import open_cpus

CALLERS = 8  # at most; each holds activations of its own


class Ahead:
    """A session as onnxruntime's calibrators use it: they ask a reader for a batch, then for what the batch gives.

    The calibrator's own session runs a batch at a time on all CPUs, which wait for one another after every operation,
    and leaves the graph as it is. This one optimises it; what is put out are the same tensors, for fusing stops at
    a tensor that has another reader.
    """

    def __init__(self, model: Path) -> None:
        """Open a graph that puts out what the calibrator wants to see."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._callers = min(CALLERS, open_cpus())
        self._pool = ThreadPoolExecutor(self._callers)
        self._running: deque[Future[Any]] = deque()

    def reader(self, name: str, batches: Iterable[Any]) -> "Reader":
        """Return a reader that runs these batches as the input `name`."""
        return Reader(name, iter(batches), self)

    def start(self, feed: dict[str, Any]) -> None:
        """Run a batch."""
        self._running.append(self._pool.submit(self._session.run, None, feed))

    @property
    def busy(self) -> bool:
        """Whether every caller has a batch, and another one waits."""
        return len(self._running) > self._callers

    def run(self, _names: None, _feed: dict[str, Any]) -> Any:
        """Return what the earliest batch gave that was not asked for yet."""
        return self._running.popleft().result()

    def get_inputs(self) -> Any:
        """Return the inputs of the graph."""
        return self._session.get_inputs()

    def get_outputs(self) -> Any:
        """Return the outputs of the graph."""
        return self._session.get_outputs()

    def close(self) -> None:
        """End the callers."""
        self._pool.shutdown(cancel_futures=True)


class Reader:
    """Hand batches out one by one; they are running by then."""

    def __init__(self, name: str, batches: Iterator[Any], session: Ahead) -> None:
        """Take the batches and the session that runs them."""
        self._name, self._batches, self._session = name, batches, session
        self._started: deque[dict[str, Any]] = deque()
        self.seen = 0  # images

    def get_next(self) -> dict[str, Any] | None:
        """Return the next feed, None at the end."""
        while not self._session.busy and (batch := next(self._batches, None)) is not None:
            self._started.append({self._name: batch})
            self._session.start(self._started[-1])
            self.seen += len(batch)
        return self._started.popleft() if self._started else None
