"""Energy of one inference: latency times power under load, where a profile states power."""

from dataclasses import dataclass
from functools import lru_cache

from advisor.schema import Basis, Estimate, Metric, Record

from .figures import read_figures
from .latency import predict_latency
from .query import Query, register


class EnergyFile(Record):
    """The file `energy.yaml`: how far power in use may lie from the profile's typical power, as factors."""

    low: float
    high: float
    source: str
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> EnergyFile:
    """Read `knowledge/prediction/energy.yaml`."""
    return read_figures("energy", EnergyFile)


@register
@dataclass(frozen=True)
class PowerTimesTime:
    """Latency times the typical power of the profile; 1 W x 1 ms = 1 mJ."""

    name = "power x time"
    metric = Metric.ENERGY

    def supports(self, query: Query) -> float | None:
        """Answer where both power and latency are known."""
        if query.device.power.typical_w is None or predict_latency(query) is None:
            return None
        return 0.4

    def estimate(self, query: Query) -> Estimate:
        """Return the energy of one inference in mJ."""
        latency, power = predict_latency(query), query.device.power.typical_w
        if latency is None or power is None:
            raise ValueError("energy was asked without latency or power")
        watts, factor = power.value, figures()
        return Estimate(
            metric=self.metric, low=latency.low * watts * factor.low, mid=latency.mid * watts,
            high=latency.high * watts * factor.high, basis=Basis.ROOFLINE, predictor=self.name,
            references=(*latency.references, factor.source),
            note=f"{latency.mid:.3g} ms at {watts:g} W typical power of the device, not measured on this model",
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        if query.device.power.typical_w is None:
            return f"the profile of {query.device.name} states no power under load"
        return "the latency is not known, so neither is the energy"
