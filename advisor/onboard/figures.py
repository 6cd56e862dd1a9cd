"""What a board measured, as records of measurements."""

from advisor.measurement.bench import unsteady
from advisor.measurement.conditions import Conditions, disturbance, told
from advisor.measurement.latency import Timing, doubt
from advisor.schema import Measurement, Metric

from .results import BoardArtefact, BoardResults


def measurements(results: BoardResults) -> tuple[Measurement, ...]:
    """Return latency, memory and energy as far as the board measured them."""
    found: dict[str, BoardArtefact] = {one.role: one for one in results.artefacts}
    own, runtime = machine(results), _runtime(results)
    shipped, baseline = found["shipped"], found.get("baseline")
    reason = _reason(shipped, baseline, results)
    clock = "CPU time" if results.clock == "cpu" else "wall clock"
    before, after = conditions(results)
    timing = Timing(shipped.rounds_ms)
    low, high = timing.quartiles
    measured = [
        Measurement(
            metric=Metric.LATENCY,
            value=shipped.median_ms,
            low=low,
            high=high,
            n=len(shipped.rounds_ms),
            method=f"median {clock} of {len(shipped.rounds_ms)} interleaved rounds after warm-up on the board, "
            f"{results.threads} thread(s), {told(before, after)}",
            machine=own,
            runtime=runtime,
            baseline_value=baseline.median_ms if baseline else None,
            conclusive=not reason,
            note=reason,
        )
    ]
    if shipped.energy_mj:
        measured.append(_energy(shipped, baseline, results, reason))
    if shipped.peak_mb is not None:
        measured.append(_memory(shipped, baseline, results))
    return tuple(measured)


def _energy(shipped: BoardArtefact, baseline: BoardArtefact | None, results: BoardResults, reason: str) -> Measurement:
    timing = Timing(shipped.energy_mj)
    low, high = timing.quartiles
    return Measurement(
        metric=Metric.ENERGY,
        value=timing.median,
        low=low,
        high=high,
        n=len(shipped.energy_mj),
        method=f"median of {len(shipped.energy_mj)} rounds by {results.meter}, idle power included",
        machine=machine(results),
        runtime=_runtime(results),
        baseline_value=Timing(baseline.energy_mj).median if baseline and baseline.energy_mj else None,
        conclusive=not reason,
        note=reason,
    )


def _memory(shipped: BoardArtefact, baseline: BoardArtefact | None, results: BoardResults) -> Measurement:
    peak = shipped.peak_mb or 0.0
    own = "" if shipped.runtime_mb is None else f"Python and runtime alone {shipped.runtime_mb:.1f} MB"
    return Measurement(
        metric=Metric.MEMORY,
        value=peak,
        low=peak,
        high=peak,
        n=1,
        method="peak resident memory of a fresh process that loads and runs the file on the board",
        machine=machine(results),
        runtime=_runtime(results),
        baseline_value=baseline.peak_mb if baseline else None,
        note=own,
    )


def _reason(shipped: BoardArtefact, baseline: BoardArtefact | None, results: BoardResults) -> str:
    """Say why the times are not conclusive, or return an empty string."""
    own = Timing(shipped.rounds_ms)
    before, after = conditions(results)
    compared = doubt(Timing(baseline.rounds_ms), own, results.threads) if baseline else ""
    return disturbance(before, after) or compared or unsteady(own)


def conditions(results: BoardResults) -> tuple[Conditions, Conditions]:
    """Return what the board was doing before and after."""
    return Conditions(**results.before.model_dump()), Conditions(**results.after.model_dump())


def machine(results: BoardResults) -> str:
    """Write what the board calls itself, with its CPUs."""
    return f"{results.machine.name} ({results.machine.cpus} CPUs, {results.machine.arch})"


def _runtime(results: BoardResults) -> str:
    used = "" if results.used == results.runtime else f" by {results.used}"
    return f"{results.runtime} {results.runtime_version}/{results.unit}{used}, {results.threads} thread(s)"
