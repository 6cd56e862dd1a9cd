"""Two rules that repeat, oppose or exclude each other: found where they really meet, and settled by an override."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules.linting import lint

CASES = {
    "fires": {"m.a": 9, "m.flag": True, "m.other": True, "m.kind": "gpu", "m.tags": ["int8"], "plan.x": 9},
    "silent": {"m.a": 0, "m.flag": False, "m.other": False, "m.kind": "cpu", "m.tags": [], "plan.x": 0},
}


def pair(writer, first, second):
    """Write two rules; give the codes of what is found about them and the rules that take part."""
    for id, changes in (("HW-01", first), ("HW-02", second)):
        writer.rule(id, cases=CASES, **changes)
    of_cases = {"case-fires", "case-silent"}
    return sorted((p.code, p.rule, *p.others) for p in lint(writer.collect()) if p.code not in of_cases)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("m.a > 2", "m.a > 1"),
        ("m.a >= 2 and m.flag", "m.a > 1"),
        ("m.a == 3", "m.a > 1 and m.a <= 3"),
        ("m.kind == 'gpu'", "m.kind in {'gpu', 'npu'}"),
        ("m.kind == 'gpu'", "m.kind != 'cpu'"),
        ("m.flag and m.other", "m.other"),
        ("m.a > 5 and m.flag or m.a > 7", "m.a > 3"),
        ("'int8' in m.tags and 'fp16' in m.tags", "has(m.tags, 'int8')"),
        ("'int8' in m.tags", "not disjoint(m.tags, {'int8', 'fp16'})"),
        ("disjoint(m.tags, {'int8', 'fp16'})", "'int8' not in m.tags"),
        ("m.a > 2", "known(m.a) and m.a > 1"),
        ("m.a * 2 > 4 and m.flag", "m.a * 2 > 4"),
    ],
)
def test_a_veto_inside_another_is_subsumed(writer, narrow, wide):
    assert pair(writer, {"when": narrow}, {"when": wide}) == [("subsumed", "HW-01", "HW-02")]
    assert pair(writer, {"when": narrow, "overrides": ["HW-02"]}, {"when": wide}) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m.a > 1", "m.flag"),
        ("m.a > 2", "m.a >= 3"),
        ("m.a < 2", "m.a > 1"),
        ("m.kind != 'cpu'", "m.kind == 'npu' and m.flag"),
        ("m.free != 'x'", "m.free == 'y' and m.flag"),
    ],
)
def test_what_is_not_inside_is_not_called_so(writer, one, other):
    assert ("subsumed", "HW-01", "HW-02") not in pair(writer, {"when": one}, {"when": other})


def test_advice_inside_advice_counts_if_its_evidence_or_certainty_does(writer):
    narrow, wide = {"when": "m.a > 2", "kind": "prefer"}, {"when": "m.a > 1", "kind": "prefer"}
    assert pair(writer, narrow, wide) == []
    same = {"same_evidence": "tests"}
    assert pair(writer, narrow | same, wide | same) == [("subsumed", "HW-01", "HW-02")]
    assert pair(writer, narrow | same, wide | same | {"certainty": "weak"}) == []


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("prefer", "veto"), "contradiction"),
        (("prefer", "avoid"), "contradiction"),
        (("avoid", "prefer"), "contradiction"),
        (("avoid", "veto"), None),
        (("warn", "veto"), None),
        (("veto", "prefer"), None),
    ],
)
def test_advice_that_is_always_cancelled_is_a_contradiction(writer, kinds, expected):
    found = pair(writer, {"when": "m.a > 2", "kind": kinds[0]}, {"when": "m.a > 1", "kind": kinds[1]})
    assert found == ([(expected, "HW-01", "HW-02")] if expected else [])


def test_a_demand_that_only_leads_into_a_veto_is_a_contradiction(writer):
    demand = {"kind": "require", "when": "m.flag", "demand": "m.a > 5"}
    assert pair(writer, demand, {"when": "m.a > 3"}) == [("contradiction", "HW-01", "HW-02")]
    assert pair(writer, demand, {"when": "m.a > 6"}) == []


def test_demands_that_no_plan_can_meet_are_a_deadlock(writer):
    first = {"kind": "require", "when": "m.flag", "demand": "plan.x > 5"}
    second = {"kind": "require", "when": "m.a > 1", "demand": "plan.x < 5"}
    assert pair(writer, first, second) == [("deadlock", "HW-01", "HW-02")]
    assert pair(writer, first, second | {"when": "m.a > 1 and not m.flag"}) == []
    assert pair(writer, first, second | {"overrides": ["HW-01"]}) == []


def test_bounds_that_exclude_each_other_where_both_hold_disagree(writer):
    low = {"kind": "estimate", "metric": "latency_ms", "when": "m.flag", "low": 0.8, "high": 1.0}
    high = {"kind": "estimate", "metric": "latency_ms", "when": "m.a > 1", "low": 1.1, "high": 2.0}
    assert pair(writer, low, high) == [("disagree", "HW-01", "HW-02")]
    assert pair(writer, low, high | {"low": 0.9}) == []
    assert pair(writer, low, high | {"metric": "size_mb"}) == []
    assert pair(writer, low, high | {"when": "m.a > 1 and not m.flag"}) == []


def test_advice_for_and_against_the_same_setting_is_an_overlap(writer):
    prefer = {"kind": "prefer", "when": "plan.x > 1 and m.flag"}
    avoid = {"kind": "avoid", "when": "plan.x > 1 and m.other"}
    assert pair(writer, prefer, avoid) == [("overlap", "HW-01", "HW-02")]
    assert pair(writer, prefer, avoid | {"when": "plan.x > 1 and not m.flag"}) == []
    assert pair(writer, prefer, avoid | {"when": "plan.x > 2 and m.other"}) == []
    assert pair(writer, prefer, avoid | {"overrides": ["HW-01"]}) == []


def test_an_accepted_finding_is_a_notice_with_its_reason_and_a_stale_one_is_told(writer):
    text = "it is known:\n  code: subsumed\n  about: [HW-01, HW-02]\n  why: for the message\n"
    (writer.root.parent / "lint.yaml").write_text(text)
    pair(writer, {"when": "m.a > 2"}, {"when": "m.a > 1"})
    (found,) = [p for p in lint(writer.collect()) if p.code == "subsumed"]
    assert (found.severity, found.accepted) == ("notice", "for the message")
    assert pair(writer, {"when": "m.a > 2"}, {"when": "m.flag"}) == [("accepted", "")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a:\n  code: overlp\n  about: [HW-01]\n  why: x\n", "there is no check 'overlp'"),
        ("a:\n  code: overlap\n  about: HW-01\n  why: x\n", "lacks a list"),
        ("a:\n  code: overlap\n  about: [HW-01]\n  why: ' '\n", "lacks a list"),
        ("a:\n  code: overlap\n  about: [HW-01]\n", "not code, about and why"),
    ],
)
def test_a_mistake_in_what_is_accepted_names_its_line(writer, text, what):
    writer.rule()
    (writer.root.parent / "lint.yaml").write_text("# first\n" + text)
    with pytest.raises(KnowledgeError, match=what) as caught:
        lint(writer.collect())
    assert caught.value.where == "lint.yaml:2"
