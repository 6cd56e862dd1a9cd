"""How fast one execution path computes and moves data for a plan: peaks, threads, bandwidth and arithmetic chosen."""

from dataclasses import dataclass

from advisor.schema import Device, ExecPath, Figure
from advisor.schema.device import Precision

from .efficiency import Entry, Mode, entry_for, mode_for
from .query import Query
from .unit_class import thread_share, unit_class

# Bytes per activation and per weight that an operation moves in each arithmetic.
BYTES = {"fp32": (4.0, 4.0), "fp16": (2.0, 2.0), "bf16": (2.0, 2.0), "int8": (1.0, 1.0), "int8_foreign": (1.0, 1.0),
         "int8_dynamic": (4.0, 1.0)}  # fmt: skip
_PEAK_OF: dict[str, Precision] = {
    "fp32": "fp32", "fp16": "fp16", "bf16": "bf16", "int8": "int8", "int8_dynamic": "int8", "int8_foreign": "int8",
}  # fmt: skip
THEORY_REACHED = 0.6  # share of a theoretical memory bandwidth that one sees in practice, where none was measured
_CORES_TO_SATURATE = 2  # cores that together reach a board's memory bandwidth (sbc-bench: one core reaches about half)


@dataclass(frozen=True)
class Rate:
    """One arithmetic on a path: GMAC/s and GB/s before efficiencies, the mode's figures, and what is assumed."""

    arithmetic: str
    gmacs: float
    gbs: float
    mode: Mode
    borrowed_peak: bool  # the peak belongs to another arithmetic
    remarks: tuple[str, ...]


def path_of(query: Query) -> ExecPath | None:
    """Return the plan's path; PyTorch runs wherever another float path of the CPU does."""
    if query.path is not None or query.plan.runtime != "pytorch" or query.plan.unit != "cpu":
        return query.path
    return next((p for p in query.device.paths if p.unit == "cpu" and not p.restrictions.integer_only), None)


def entry_of(query: Query) -> Entry | None:
    """Return the efficiencies that apply to the plan."""
    path = path_of(query)
    return None if path is None else entry_for(query.plan.runtime, unit_class(query.device, path))


def arithmetic_of(precision: str, query: Query, path: ExecPath) -> str:
    """Return the arithmetic that the path really uses for operations of this precision."""
    if precision == "int8" and "int8" in path.precisions:
        quantizer = query.step("static_int8", "qat", "dynamic_int8")
        if quantizer is not None and quantizer.technique == "dynamic_int8":
            return "int8_dynamic"
        form = getattr(quantizer, "signedness", None)
        known = path.restrictions.signedness
        return "int8_foreign" if form is not None and known and form != known[0] else "int8"
    if path.restrictions.integer_only:
        return "int8"
    if precision in ("fp16", "bf16") and precision in path.precisions:
        return precision
    return path.default_float if query.path is not None else "fp32"


def rate_of(arithmetic: str, query: Query) -> Rate | None:
    """Return the rates of an arithmetic for the plan, or None where no peak or no efficiency is known."""
    path, entry = path_of(query), entry_of(query)
    mode = None if entry is None else mode_for(entry, arithmetic)
    if path is None or entry is None or mode is None:
        return None
    peak, borrowed = _peak(arithmetic, path)
    if peak is None:
        return None
    share, used = thread_share(query.device, path, query.plan.threads)
    gbs, known = _bandwidth(query.device, path, entry, used)
    remarks = (f"no peak of {path.label} for {arithmetic} is published",) if borrowed else ()
    if not known:
        remarks = (*remarks, "the memory bandwidth in use is assumed")
    return Rate(arithmetic, peak.value * share * used**-entry.thread_loss, gbs, mode, borrowed, remarks)


def _peak(arithmetic: str, path: ExecPath) -> tuple[Figure | None, bool]:
    wanted = _PEAK_OF.get(arithmetic, "fp32")
    if wanted in path.peak_gmacs:
        return path.peak_gmacs[wanted], False
    order: tuple[Precision, ...] = ("fp16", "bf16", "fp32", "int8")
    known = [path.peak_gmacs[p] for p in order if p in path.peak_gmacs]
    return next(iter(known or path.peak_gmacs.values()), None), True


def _bandwidth(device: Device, path: ExecPath, entry: Entry, threads: int) -> tuple[float, bool]:
    """Return the GB/s that the threads can use, and whether a figure of the profile says so."""
    memory = device.memory
    theory = memory.bandwidth_gbs.value if memory.bandwidth_gbs is not None else 0.0
    share = thread_share(device, path, threads)[0]
    own = min(figure.value for figure in path.peak_gmacs.values()) * share * entry.bytes_per_mac
    if path.unit == "cpu" and memory.sustained_gbs is not None:
        together = memory.sustained_gbs.value * min(threads, _CORES_TO_SATURATE)
        return (min(together, max(theory, memory.sustained_gbs.value)) if theory else together), True
    if path.unit in ("npu", "mcu", "dla") and device.kind in ("npu-accelerator", "mcu", "mcu-npu"):
        return own, False  # on-chip memory, whose bandwidth no profile states
    if not theory:
        return own, False
    # The cores of a server share far more than one of them can use.
    return (min(theory * THEORY_REACHED, own) if entry.core_bound else theory * THEORY_REACHED), True
