"""Accelerators of which throughput is published, not latency: there 1000 / FPS is shorter than one image takes."""

from dataclasses import dataclass, replace

from advisor.prediction.throughput import figures

from .setup import Setup
from .store import UnitModel


@dataclass(frozen=True)
class Pipelined:
    """Latency of one image over 1000 / FPS: the middle, and the ends as factors of it; a remark where they differ."""

    mid: float = 1.0
    low: float = 1.0
    high: float = 1.0
    note: str = ""


def one_at_a_time(model: UnitModel, setup: Setup) -> tuple[Setup, Pipelined]:
    """Return the setup to ask the model for, and the factors from what it answers to the latency of one image."""
    if setup.metric != "latency":
        return setup, Pipelined()
    pipeline = figures().pipelined.get(setup.runtime)
    if pipeline is not None:
        note = (
            f"from published throughput; one image takes {pipeline.low:g} to {pipeline.high:g} times 1000 / FPS, "
            f"{pipeline.mid:g} times is taken"
        )
        ends = pipeline.low / pipeline.mid, pipeline.high / pipeline.mid
        return replace(setup, metric="throughput"), Pipelined(pipeline.mid, *ends, note)
    measured = {m for m in ("latency", "throughput") if model.seen("metric", f"{setup.runtime}|{m}|{setup.batch > 1}")}
    if measured == {"throughput"}:
        note = "from published frames per second of one unit"
        return replace(setup, metric="throughput"), Pipelined(note=note)
    return setup, Pipelined()
