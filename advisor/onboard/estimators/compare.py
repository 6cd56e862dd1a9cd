"""A vendor's estimate beside our own prediction; neither is a measurement, so nothing here is a hit or a miss."""

from pathlib import Path

from advisor.devices import load_device
from advisor.errors import GoalError, RunError
from advisor.execution.store import read_record
from advisor.schema import Estimate, Metric, RunRecord, VendorComparison, VendorEstimate, VendorReport

from . import estimator_for

SAME_NETWORK = 0.05  # by which MACs may differ: padding and folded operations are counted in other ways


def estimated(file: Path, target: str | None = None, run_dir: Path | None = None) -> VendorReport:
    """Run the vendor's estimator for a device, and compare with the prediction of a run where one is named."""
    run = None if run_dir is None else read_record(run_dir)
    if run is not None and target is not None and load_device(target).id != run.device:
        raise GoalError(f"the run is for {run.device}, not for {target}", remedy="Leave --target out.")
    device = target or (run.device if run else None)
    if device is None:
        raise GoalError("no device named", remedy="Give --target DEVICE, or --run RUN_DIR.")
    profile = load_device(device)
    estimator = estimator_for(profile)
    if run is not None and run.plan.runtime != estimator.name:
        raise RunError(
            f"the run's plan is for {run.plan.path}; {estimator.name} estimates its own runtime alone",
            remedy=f"Apply a plan for {estimator.name} on {run.device}.",
        )
    found = estimator.estimate(file, profile)
    named = "" if run is None else f"{run.model}: {run.done.label}"
    return VendorReport(estimate=found, run=named, comparisons=tuple(_compared(found, run)))


def _compared(found: VendorEstimate, run: RunRecord | None) -> list[VendorComparison]:
    other = _other_network(found, run)
    return [
        _comparison(metric, value, found, None if run is None else run.predicted.get(metric), other)
        for metric, value in found.figures.items()
    ]


def _comparison(
    metric: Metric, value: float, found: VendorEstimate, predicted: Estimate | None, other: str
) -> VendorComparison:
    note = other or _difference(metric, found)
    inside = None if predicted is None or note else predicted.low <= value <= predicted.high
    return VendorComparison(metric=metric, estimated=value, predicted=predicted, inside=inside, note=note)


def _other_network(found: VendorEstimate, run: RunRecord | None) -> str:
    if run is None or abs(found.macs - run.preview.macs) <= SAME_NETWORK * run.preview.macs:
        return ""
    return f"the file has {found.macs:,} MACs, the run's model {run.preview.macs:,}: another network"


def _difference(metric: Metric, found: VendorEstimate) -> str:
    """Say where both speak of different things."""
    if metric is Metric.FLASH:
        return "weights alone; the prediction holds the graph and the runtime's code too"
    if metric is Metric.LATENCY and found.fallen:
        return "the prediction holds the CPU's operators too"
    if metric is Metric.MEMORY and Metric.FLASH not in found.figures:
        return "with the weights; the prediction is of the arena"
    return ""
