"""What timing a machine taught: the cost of every kind of operation, and how far off unseen networks were."""

from .base import Record

# Of one operation, in millions but for the last, which is 1: arithmetic; arithmetic per pixel of an image row (what
# starting a row costs) or, where a kernel first copies its windows, elements copied; elements read and written; those
# that a fused activation other than ReLU passes over; weights read.
QUANTITIES = ("mmacs", "row_mmacs", "read_m", "written_m", "activated_m", "weights_m", "calls")


class Cost(Record):
    """Milliseconds per unit of each quantity for one class of operation; `n` operations of it were timed."""

    name: str
    mmacs: float
    row_mmacs: float
    read_m: float
    written_m: float
    activated_m: float
    weights_m: float
    calls: float
    n: int


class CostTable(Record):
    """The costs with one number of threads; `constant_ms` is spent once per inference.

    `block`: channels per block in the layout that the runtime prefers on this CPU (1: no such layout).
    """

    threads: int
    block: int = 16
    constant_ms: float
    costs: tuple[Cost, ...]


class HeldOut(Record):
    """How predictions of networks that a fit had not seen compare with their times.

    `centre` is the factor by which sums of operations fall short of whole networks; predictions include it. `low` and
    `high` are the factors of an 80 % interval around a prediction (split conformal), `ratio` and
    `ratio_forms` those of the ratio of two networks in this form, and of one network in this form to itself in float.
    """

    form: str  # fp32 | int8 | int8_dynamic
    threads: int
    n: int
    mean_error: float  # of |predicted / measured - 1|
    within_10: float  # share of networks within 10 %
    centre: float = 1.0
    low: float
    high: float
    ratio: float
    ratio_forms: float


class Calibration(Record):
    """The timings of one machine with one runtime, condensed."""

    version: int = 1
    date: str  # ISO, UTC
    cpu: str
    runtime: str
    runtime_version: str
    machine: dict[str, str] = {}  # versions, load and clock policy when the times were taken
    clock_spread: dict[int, float] = {}  # 90 % over 10 % quantile of a reference network's times, by threads
    reference_ms: dict[int, float] = {}  # usual time of the reference network, to compare later times with
    samples: int
    tables: tuple[CostTable, ...]
    errors: tuple[HeldOut, ...]
    remarks: tuple[str, ...] = ()

    def error(self, form: str, threads: int) -> HeldOut | None:
        """Return the errors of a form, with the nearest number of threads that was timed."""
        known = [e for e in self.errors if e.form == form]
        return min(known, key=lambda e: abs(e.threads - threads), default=None)
