"""Reading decisions.yaml: the goal of an entry, its decisions, and the plans that it speaks of."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from advisor.devices import load_device
from advisor.devices.power import in_power_mode
from advisor.ranking.decision import recommend_for
from advisor.rules import load_rules
from advisor.schema import Candidate, DataFacts, Goal, Limit, Metric, Recommendation

from .networks import workload

PATH = Path(__file__).parent / "decisions.yaml"
LIMITS = {
    "max_latency": Metric.LATENCY,
    "max_drop": Metric.ACCURACY,
    "max_size": Metric.SIZE,
    "max_flash": Metric.FLASH,
    "max_memory": Metric.MEMORY,
    "max_energy": Metric.ENERGY,
}
WINNER = ("precision", "runtime", "unit")
TEXTS = {"name", "why", "said", "not_yet"}
LISTS = {
    "models", "devices", *(f"winner_{what}" for what in WINNER), "winner_has", "winner_has_one", "winner_lacks",
    "rejected", "open", "order", "fires", "silent", "argued", "asks",
}  # fmt: skip
FLAGS = {"winner_plain", "no_winner"}


def entries() -> list[dict[str, Any]]:
    """Return the table."""
    found: list[dict[str, Any]] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return found


def goal_of(entry: dict[str, Any]) -> Goal:
    """Return what the entry asks."""
    fields = dict(entry.get("goal", {}))
    limits = [Limit(metric=metric, bound=fields.pop(name)) for name, metric in LIMITS.items() if name in fields]
    if "min_fps" in fields:
        bound = 1000.0 / fields.pop("min_fps") * fields.get("batch", 1)
        limits.append(Limit(metric=Metric.LATENCY, bound=bound, sustained=True))
    return Goal(limits=tuple(limits), data=DataFacts(**fields.pop("data", {})), **fields)


@cache
def decision(model: str, device: str, goal: Goal) -> Recommendation:
    """Decide."""
    profile = load_device(device)
    if goal.power_mode:
        profile = in_power_mode(profile, goal.power_mode)
    return recommend_for(workload(model, goal.batch), profile, goal, load_rules(), random_weights=True)


def with_technique(rec: Recommendation, plan: str) -> list[Candidate]:
    """Return the candidates that use a technique on a path, alone or with others; `plain` uses none."""
    technique, _, path = plan.partition("@")
    return [
        c
        for c in rec.candidates
        if path in ("", c.plan.path) and (technique in c.plan.techniques or (technique == "plain" and not c.plan.steps))
    ]


def place(rec: Recommendation, plan: str) -> int | None:
    """Return the place of the best plan that consists of just this technique there; None where all are rejected."""
    technique, _, path = plan.partition("@")
    wanted = () if technique == "plain" else (technique,)
    places = (
        n
        for n, c in enumerate(rec.candidates)
        if c.plan.techniques == wanted and c.plan.path == path and not c.rejected_by
    )
    return next(places, None)
