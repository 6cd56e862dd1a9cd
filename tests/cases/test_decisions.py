"""Golden decisions: real architectures on shipped profiles against what an expert expects."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from advisor.devices import load_device
from advisor.facts import plan_precision
from advisor.ranking.decision import recommend_for
from advisor.rules import load_rules
from advisor.schema import Goal, Limit, Metric, Recommendation, Workload

CASES = yaml.safe_load((Path(__file__).parent / "decisions.yaml").read_text())
LIMITS = {
    "max_latency": Metric.LATENCY,
    "max_drop": Metric.ACCURACY,
    "max_size": Metric.SIZE,
    "max_memory": Metric.MEMORY,
}
# Names of rule groups used in the table, so that it reads without knowing rule numbers.
GROUPS = {"on_chip": {"HW-08", "HW-08a", "HW-08b"}, "mcu_memory": {"MC-01", "MC-01a", "MC-01b"}}
KNOWN = {"name", "models", "devices", "goal", "winner_precision", "winner_has", "winner_lacks", "winner_runtime",
         "no_winner", "rejected", "open", "fires", "argued"}  # fmt: skip


@cache
def workload(model: str) -> Workload:
    from advisor import profile

    return profile(f"timm:{model}")


@cache
def decision(model: str, device: str, goal: Goal) -> Recommendation:
    return recommend_for(workload(model), load_device(device), goal, load_rules(), random_weights=True)


def goal_of(entry: dict) -> Goal:
    fields = dict(entry.get("goal", {}))
    limits = tuple(Limit(metric=metric, bound=fields.pop(name)) for name, metric in LIMITS.items() if name in fields)
    return Goal(limits=limits, **fields)


def using(rec: Recommendation, entry: str):
    technique, _, path = entry.partition("@")
    return [c for c in rec.candidates if technique in c.plan.techniques and (not path or c.plan.path == path)]


QUICK = 2  # models and devices of an entry that every test run decides; `make study` decides all


def marks(*places: int):
    return [pytest.mark.study] if max(places) >= QUICK else []


PARAMETERS = [
    pytest.param(entry, model, device, id=f"{entry['name']}-{model}-{device}", marks=marks(m, d))
    for entry in CASES
    for m, model in enumerate(entry["models"])
    for d, device in enumerate(entry["devices"])
]


@pytest.mark.real
@pytest.mark.parametrize(("entry", "model", "device"), PARAMETERS)
def test_the_decision_is_an_experts(entry, model, device):
    rec = decision(model, device, goal_of(entry))
    winner = rec.recommended
    if entry.get("no_winner"):
        assert winner is None, f"recommended {winner and winner.plan}"
        assert rec.nearest
    elif any(key.startswith("winner") for key in entry):
        assert winner is not None, rec.nearest
        assert plan_precision(winner.plan) in entry.get("winner_precision", [plan_precision(winner.plan)]), winner.plan
        assert winner.plan.runtime in entry.get("winner_runtime", [winner.plan.runtime]), winner.plan
        assert set(entry.get("winner_has", ())) <= set(winner.plan.techniques), winner.plan
        assert not set(entry.get("winner_lacks", ())) & set(winner.plan.techniques), winner.plan
    for name in entry.get("rejected", ()):
        still_open = [c.plan for c in using(rec, name) if not c.rejected_by]
        assert not still_open, f"{name} is not rejected: {still_open[:2]}"
    for name in entry.get("open", ()):
        found = using(rec, name)
        assert any(not c.rejected_by for c in found), f"{name}: {[c.rejected_by for c in found][:2] or 'not proposed'}"


@pytest.mark.real
@pytest.mark.parametrize(
    ("entry", "model", "device"), [p for p in PARAMETERS if p.values[0].keys() & {"fires", "argued"}]
)
def test_the_rules_speak_up(entry, model, device):
    rec = decision(model, device, goal_of(entry))
    fired = {f.rule for c in rec.candidates for f in c.findings if f.truth == "true"}
    for name in entry.get("fires", ()):
        assert fired & GROUPS.get(name, {name}), sorted(fired)
    for name in entry.get("argued", ()):
        about = [f for c in using(rec, name) for f in c.findings if f.truth == "true"]
        assert {f.kind for f in about} & {"avoid", "warn"}, "nothing speaks against it"
        assert any(not c.rejected_by for c in using(rec, name))


def test_the_table_of_decisions_uses_only_known_checks():
    assert not [key for entry in CASES for key in entry if key not in KNOWN]


def test_every_candidate_is_accounted_for():
    rec = decision("resnet18", "jetson-nano", Goal())
    assert {c.plan.label for c in rec.candidates} >= {"change nothing", "change the runtime only"}
    for candidate in rec.candidates:
        if candidate.status == "rejected":
            assert candidate.rejected_by
        elif candidate.status == "dominated":
            assert candidate.dominated_by in rec.by_number
    assert sum(c.status == "recommended" for c in rec.candidates) == 1
