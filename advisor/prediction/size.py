"""File size: weights exactly, plus the graph's own bytes from figures fitted to files as `apply` writes them.

1 MB = 1e6 bytes. Zeros compress only in an archive, never in the file itself, so sparsity changes nothing here.
The fit and its errors: `benchmarks/size.py`, docs/size.md.
"""

from functools import lru_cache

from advisor.schema import Basis, Estimate, Metric, Record, Workload

from .figures import read_figures
from .fusion import fold
from .query import Query, register
from .storage import stored_bytes
from .written import written

WEIGHTS_SHARE = 0.002  # of the weights' bytes counts as much in an interval as the whole of the graph's


class Overhead(Record):
    """Bytes of a file format besides the weights, by what the file holds (`written.Written.counts`).

    `margin` is the half width of the 80 % interval as a share of what the format adds and of 0.2 % of the weights:
    names and shapes in the graph are what is uncertain, and small files are mostly these. `whole`: the file keeps every
    weight as it is, batch norms included; otherwise norms are folded and only weights that are read are kept.
    """

    per: dict[str, float]
    fixed: float = 0.0
    whole: bool = False
    margin: float
    basis: Basis
    n: int | None = None
    source: str


class SizeFile(Record):
    """The file `size.yaml`: format by runtime and technique, and the overhead of formats that were not measured."""

    formats: dict[str, Overhead]
    runtimes: dict[str, str]
    techniques: dict[str, str]  # for runtimes not named above; the last step that is named decides
    default: str
    sources: dict[str, str] = {}


class FittedSizes(Record):
    """The file `size_fitted.yaml`, written by benchmarks/size.py: overhead by format."""

    formats: dict[str, Overhead]
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> SizeFile:
    """Read `size.yaml` with the fitted formats."""
    known, fitted = read_figures("size", SizeFile), read_figures("size_fitted", FittedSizes)
    return known.model_copy(update={"formats": {**known.formats, **fitted.formats}})


def size_bytes(workload: Workload, overhead: Overhead) -> tuple[int, float]:
    """Return the bytes of the weights and those that the format adds."""
    if overhead.whole:
        return stored_bytes(workload.weights), overhead.fixed + overhead.per["constants"] * len(workload.weights)
    file = written(fold(workload))
    counts = file.counts()
    return file.weights, overhead.fixed + sum(cost * counts[name] for name, cost in overhead.per.items())


def format_of(query: Query) -> str:
    """Return the name of the file format that the plan ends in."""
    known = figures()
    if query.plan.runtime in known.runtimes:
        return known.runtimes[query.plan.runtime]
    keys = [(f"{step.technique}-{getattr(step, 'bits', '')}", step.technique) for step in query.plan.steps]
    named = [known.techniques[key] for pair in keys for key in pair if key in known.techniques]
    return named[-1] if named else known.default


@register
class FileSize:
    """Weights as they are stored, plus the overhead of the runtime's file format."""

    name = "file size"
    metric = Metric.SIZE

    def supports(self, query: Query) -> float | None:
        """Answer always: every network has a size."""
        return 0.95

    def estimate(self, query: Query) -> Estimate:
        """Return the size of the artefact's file in MB."""
        name = format_of(query)
        form = figures().formats[name]
        weights, extra = size_bytes(query.after, form)
        total, half = weights + extra, form.margin * (extra + WEIGHTS_SHARE * weights)
        low, high = max(0.0, total - half), total + half
        return Estimate(
            metric=self.metric, low=low / 1e6, mid=total / 1e6, high=high / 1e6, basis=form.basis,
            predictor=self.name, n=form.n, references=(form.source,),
            note=f"{weights / 1e6:.3f} MB of weights by arithmetic, {extra / 1e6:.3f} MB of graph in a {name} file",
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Never absent."""
        return "the size is always known"
