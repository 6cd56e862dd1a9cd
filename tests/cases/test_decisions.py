"""Golden decisions: real architectures on shipped profiles against what an expert expects."""

import pytest

from advisor.schema import Goal

from .checks import disagreements
from .table import FLAGS, LISTS, TEXTS, decision, entries, goal_of

CASES = entries()
EVERY = 7  # of the entries whose first decision every test run makes; `make study` makes all


def decisions():
    for number, entry in enumerate(CASES):
        for n, (model, device) in enumerate((m, d) for m in entry["models"] for d in entry["devices"]):
            marks = [] if not n and not number % EVERY else [pytest.mark.study]
            if "not_yet" in entry:
                marks.append(pytest.mark.xfail(reason=entry["not_yet"], strict=True))
            yield pytest.param(entry, model, device, id=f"{entry['name']}-{model}-{device}", marks=marks)


@pytest.mark.real
@pytest.mark.parametrize(("entry", "model", "device"), decisions())
def test_the_decision_is_an_experts(entry, model, device):
    assert not disagreements(decision(model, device, goal_of(entry)), entry)


@pytest.mark.parametrize("entry", CASES, ids=[entry["name"] for entry in CASES])
def test_an_entry_is_argued_and_uses_only_known_checks(entry):
    assert entry["name"]
    assert len(entry["why"]) > 40, "an argument, not a word"
    assert entry.keys() <= TEXTS | LISTS | FLAGS | {"goal"}
    assert all(isinstance(entry[key], list) and entry[key] for key in entry.keys() & LISTS)
    assert entry.keys() - {"name", "why", "models", "devices", "goal", "not_yet"}, "nothing is expected"


def test_the_table_has_no_name_twice():
    assert len({entry["name"] for entry in CASES}) == len(CASES) >= 60


def test_an_entry_that_is_wrong_is_told():
    """The checks can fail: every kind of expectation, held against a decision that goes the other way."""
    rec = decision("resnet18", "jetson-nano", Goal())
    assert rec.recommended.plan.techniques == ("half",)
    wrong = {
        "winner_precision": ["int8"],
        "winner_unit": ["cpu"],
        "winner_has": ["qat"],
        "winner_has_one": ["qat", "distil"],
        "winner_lacks": ["half"],
        "winner_plain": True,
        "no_winner": True,
        "rejected": ["half@tensorrt/gpu"],
        "open": ["static_int8@tensorrt/gpu"],
        "argued": ["static_int8@tensorrt/gpu"],
        "order": ["plain@tensorrt/gpu before half@tensorrt/gpu"],
        "fires": ["HW-24b"],
        "silent": ["HW-05a"],
        "asks": ["user.batch"],
    }
    assert set(wrong) >= (LISTS | FLAGS) - {"models", "devices", "winner_runtime"}
    for key, value in wrong.items():
        assert disagreements(rec, {key: value}), key


def test_every_candidate_is_accounted_for():
    rec = decision("resnet18", "jetson-nano", Goal())
    assert {c.plan.label for c in rec.candidates} >= {"change nothing", "change the runtime only"}
    for candidate in rec.candidates:
        if candidate.status == "rejected":
            assert candidate.rejected_by
        elif candidate.status == "dominated":
            assert candidate.dominated_by in rec.by_number
    assert sum(c.status == "recommended" for c in rec.candidates) == 1
