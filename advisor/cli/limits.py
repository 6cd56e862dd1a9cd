"""From the options of the command line to a goal; whatever contradicts itself is refused."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.errors import GoalError
from advisor.units import parse_quantity

from .complete import BUDGETS, GOALS
from .options import one_of, read_count

if TYPE_CHECKING:
    from advisor.execution.search import Asked
    from advisor.schema import Goal, Limit

_SAME = 0.01  # --max-latency and --min-fps that differ by less say the same


@dataclass(frozen=True)
class LimitTexts:
    """Limits as typed."""

    max_latency: str | None = None
    min_fps: str | None = None
    max_size: str | None = None
    max_memory: str | None = None
    max_energy: str | None = None
    max_drop: str | None = None
    max_flash: str | None = None


def read_goal(
    limits: LimitTexts,
    *,
    kind: str = "balanced",
    budget: str = "finetune",
    runtime: str | None = None,
    batch: int = 1,
    threads: int | None = None,
    power_mode: str | None = None,
    seed: int = 0,
) -> "Goal":
    """Return the goal that the options describe."""
    from advisor.schema import Goal

    read_count(batch, "--batch")
    return Goal.model_validate(
        {
            "kind": one_of(kind, GOALS, "--goal"),
            "budget": one_of(budget, BUDGETS, "--budget"),
            "limits": read_limits(limits, batch),
            "runtime": runtime,
            "batch": batch,
            "threads": read_count(threads, "--threads"),
            "power_mode": power_mode,
            "seed": seed,
        }
    )


def read_limits(texts: LimitTexts, batch: int = 1) -> "tuple[Limit, ...]":
    """Read all limits; `batch` turns frames per second into the latency of one inference."""
    from advisor.schema import Limit, Metric

    bounds = {
        Metric.LATENCY: _latency(texts, batch),
        Metric.SIZE: _positive(texts.max_size, "MB", "--max-size"),
        Metric.MEMORY: _positive(texts.max_memory, "MB", "--max-memory"),
        Metric.ENERGY: _positive(texts.max_energy, "mJ", "--max-energy"),
        Metric.FLASH: _positive(texts.max_flash, "MB", "--max-flash"),
        Metric.ACCURACY: _drop(texts.max_drop),
    }
    rate = texts.max_latency is None and texts.min_fps is not None
    return tuple(
        Limit(metric=metric, bound=bound, sustained=rate and metric is Metric.LATENCY)
        for metric, bound in bounds.items()
        if bound is not None
    )


def read_search(goal: "Goal", time_budget: str | None) -> "Asked | None":
    """Return what a search may lose and how long it may take, None where no loss is limited."""
    from advisor.execution.search import Asked
    from advisor.schema import Metric

    bound = goal.bound(Metric.ACCURACY)
    if bound is None:
        if time_budget is not None:
            raise GoalError("--time-budget is for a search", remedy="Say with --max-drop what may be lost.")
        return None
    return Asked(bound, _positive(time_budget, "s", "--time-budget"))


def read_probe(wanted: bool, time: str | None) -> float | None:
    """Return the seconds that a probe may take, None where none is wanted."""
    from advisor.execution.probe.choose import DEFAULT_S

    if not wanted and time is None:
        return None
    return _positive(time, "s", "--probe-time") or DEFAULT_S


def _latency(texts: LimitTexts, batch: int) -> float | None:
    latency = _positive(texts.max_latency, "ms", "--max-latency")
    fps = _positive(texts.min_fps, "fps", "--min-fps")
    if fps is None:
        return latency
    implied = 1000.0 * batch / fps
    if latency is not None and abs(latency - implied) > _SAME * implied:
        raise GoalError(
            f"--max-latency {texts.max_latency} and --min-fps {texts.min_fps} set two different limits",
            where=f"{fps:g} fps at batch {batch} are {implied:.4g} ms, not {latency:.4g} ms",
            remedy="Give one of them.",
        )
    return implied


def _positive(text: str | None, unit: str, option: str) -> float | None:
    if text is None:
        return None
    value = parse_quantity(text, unit, option)
    if value == 0:
        raise GoalError(f"{option}: nothing can meet a limit of zero", remedy="Give a positive limit, or leave it out.")
    return value


def _drop(text: str | None) -> float | None:
    if text is None:
        return None
    value = parse_quantity(text, "pp", "--max-drop")
    if value > 100:
        raise GoalError(f"--max-drop: accuracy cannot fall by {value:g} points", remedy="Give 0 to 100 points.")
    return value
