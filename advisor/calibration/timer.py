"""Timing ONNX files: a small protocol that a board can answer too, and the answer of this machine."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

WARM_UP_RUNS = 3
MOST_RUNS = 200  # in a round
PROFILED_RUNS = 6

Round = Callable[[float], tuple[float, ...]]  # seconds to fill -> milliseconds of every inference in them


@dataclass(frozen=True)
class NodeTime:
    """One operation as the runtime executed it: its type, milliseconds, elements of its first output."""

    op_type: str
    ms: float
    written: int


class Timer(Protocol):
    """A machine with a runtime on it."""

    @property
    def block(self) -> int:
        """Channels per block in the layout that the runtime prefers on this machine; 1 where it has none."""

    def open(self, model: bytes, threads: int) -> Round:
        """Load an ONNX file and warm it up; each call of the result is one round of runs on the same random input."""

    def nodes(self, model: bytes, threads: int) -> tuple[NodeTime, ...]:
        """Return the time of every operation of the optimised graph, in order of execution; empty if none are told."""

    def describe(self) -> dict[str, str]:
        """Describe the machine as it is now: at least `cpu`, and the version of the runtime under its name."""


class HostTimer:
    """ONNX Runtime on the CPU here: CPU time with one thread, which neighbours disturb less, wall clock with several.

    With several threads the CPU time of waiting threads counts as well, so only the wall clock tells how long it takes.
    """

    @property
    def block(self) -> int:
        """Channels per block, by the instructions of this CPU."""
        from advisor.devices import detect_host
        from advisor.prediction.fusion import block_of

        return block_of("onnxruntime", detect_host().cpu)

    def open(self, model: bytes, threads: int) -> Round:
        """Open a session and run it three times."""
        clock = time.thread_time if threads == 1 else time.perf_counter
        with _denormals_flushed():
            session, feed = _session(model, threads)
            for _ in range(WARM_UP_RUNS):
                session.run(None, feed)

        def run(seconds: float) -> tuple[float, ...]:
            with _denormals_flushed():
                return _timed(session, feed, clock, seconds)

        return run

    def nodes(self, model: bytes, threads: int) -> tuple[NodeTime, ...]:
        """Run with the runtime's own profiler; the fastest run of each operation stands."""
        with tempfile.TemporaryDirectory() as folder, _denormals_flushed():
            session, feed = _session(model, threads, profile=str(Path(folder) / "nodes"))
            for _ in range(PROFILED_RUNS):
                session.run(None, feed)
            events = json.loads(Path(session.end_profiling()).read_text())
        found: dict[str, NodeTime] = {}
        for event in events:
            name, args = event.get("name", ""), event.get("args", {})
            if event.get("cat") != "Node" or not name.endswith("_kernel_time"):
                continue
            ms = event["dur"] / 1e3
            size = _elements(args.get("output_type_shape", ()))
            node = NodeTime(args["op_name"], ms, size)
            if name not in found or ms < found[name].ms:
                found[name] = node
        return tuple(found.values())

    def describe(self) -> dict[str, str]:
        """Describe this machine as it is now."""
        from advisor.devices.machine import read_machine
        from advisor.measurement.machine import environment

        return {"cpu": read_machine().name, **environment(1)}


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Flush denormals in this thread for a while; the runtime's own option would leave it so for good.

    Random weights make numbers so small that CPUs stumble over them; trained ones hardly do.
    """
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _session(model: bytes, threads: int, profile: str = "") -> tuple[Any, dict[str, Any]]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # For the runtime's own threads; the one that calls is put back by `_denormals_flushed`.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    return session, {given.name: np.random.default_rng(0).standard_normal(given.shape).astype(np.float32)}


def _timed(session: Any, feed: dict[str, Any], clock: Callable[[], float], seconds: float) -> tuple[float, ...]:
    """Time run by run, since a disturbance then spoils one figure instead of the round."""
    found: list[float] = []
    end = time.perf_counter() + seconds
    while not found or (time.perf_counter() < end and len(found) < MOST_RUNS):
        start = clock()
        session.run(None, feed)
        found.append((clock() - start) * 1e3)
    return tuple(found)


def _elements(shapes: Any) -> int:
    """Return the elements of the first tensor of a profiler's list of {type: shape}."""
    return int(np.prod(next(iter(shapes[0].values())))) if shapes and shapes[0] else 0
