"""Images per second of units that work on several images at once; elsewhere throughput is batch over latency.

Told only where it differs: a pipeline gives a result more often than one image takes to pass through it.
"""

from functools import lru_cache

from advisor.schema import Basis, Estimate, Metric, Record

from .energy import best_latency
from .figures import read_figures
from .query import Query, register


class Pipeline(Record):
    """Images per second over batch / latency: ends and middle."""

    low: float
    mid: float
    high: float
    n: int | None = None
    basis: Basis
    source: str


class ThroughputFile(Record):
    """The file `throughput.yaml`."""

    pipelined: dict[str, Pipeline]
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> ThroughputFile:
    """Read `knowledge/prediction/throughput.yaml`."""
    return read_figures("throughput", ThroughputFile)


@register
class PipelinedThroughput:
    """Latency turned into images per second by the depth of the pipeline."""

    name = "pipeline"
    metric = Metric.THROUGHPUT

    def supports(self, query: Query) -> float | None:
        """Answer on pipelined units whose latency is known."""
        known = query.plan.runtime in figures().pipelined and best_latency(query) is not None
        return 0.5 if known else None

    def estimate(self, query: Query) -> Estimate:
        """Return images per second; the interval is that of the latency, which is fitted to frames per second."""
        latency, pipeline = best_latency(query), figures().pipelined[query.plan.runtime]
        if latency is None:
            raise ValueError("throughput was asked without latency")
        work = 1000.0 * query.after.batch * pipeline.mid
        note = f"{pipeline.mid:g} times batch / latency, as several images are in the pipeline; {pipeline.low:g} to "
        return Estimate(
            metric=self.metric, low=work / latency.high, mid=work / latency.mid, high=work / latency.low,
            basis=latency.basis, predictor=self.name, n=latency.n, references=(*latency.references, pipeline.source),
            note=f"{note}{pipeline.high:g} times were published",
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the unit takes one image after the other: throughput is batch over latency"
