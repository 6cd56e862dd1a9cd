"""What was measured on which device: counts of the published latencies that the project carries."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from advisor.prediction.pooled.evidence import Measured as Latency
from advisor.prediction.pooled.evidence import read_evidence


@dataclass(frozen=True)
class Counted:
    """The latencies of one unit, runtime and precision of a device."""

    unit: str
    runtime: str
    precision: str
    count: int
    networks: int
    published: str  # first and last year
    sources: tuple[str, ...]


Measured = Mapping[str, tuple[Counted, ...]]  # by device


def measured() -> Measured:
    """Count the latencies by device, the best measured setups first."""
    groups: defaultdict[str, defaultdict[tuple[str, str, str], list[Latency]]] = defaultdict(lambda: defaultdict(list))
    for row in read_evidence():
        groups[row.profile][row.unit, row.runtime, row.precision].append(row)
    return {
        device: tuple(sorted((_count(*key, rows) for key, rows in setups.items()), key=lambda one: -one.count))
        for device, setups in groups.items()
    }


def _count(unit: str, runtime: str, precision: str, rows: list[Latency]) -> Counted:
    years = sorted({row.published[:4] for row in rows if row.published})
    return Counted(
        unit=unit,
        runtime=runtime,
        precision=precision,
        count=len(rows),
        networks=len({row.network for row in rows}),
        published=" to ".join(dict.fromkeys((years[0], years[-1]))) if years else "-",
        sources=tuple(sorted({row.source for row in rows})),
    )
