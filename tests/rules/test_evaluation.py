"""What each kind of rule does when its condition is true, false or unknown, and how rules set others aside."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules import evaluate, explain
from advisor.schema import Truth


def only(writer, facts, scope="candidate"):
    (finding,) = evaluate(writer.load(), facts, scope)
    return finding


@pytest.mark.parametrize(
    ("facts", "truth", "rejects"), [({"m.a": 2}, "true", True), ({"m.a": 0}, "false", False), ({}, "unknown", False)]
)
def test_a_veto_rejects_only_when_it_is_true(writer, facts, truth, rejects):
    writer.rule()
    finding = only(writer, facts)
    assert (finding.truth, finding.rejects) == (Truth(truth), rejects)


@pytest.mark.parametrize(
    ("facts", "truth", "rejects", "missing"),
    [
        ({"m.a": 2, "m.flag": False}, "true", True, ()),
        ({"m.a": 2, "m.flag": True}, "true", False, ()),
        ({"m.a": 2}, "true", False, ("m.flag",)),
        ({"m.a": 0, "m.flag": False}, "false", False, ()),
        ({"m.flag": False}, "unknown", False, ("m.a",)),
    ],
)
def test_a_require_rejects_only_when_its_demand_is_false(writer, facts, truth, rejects, missing):
    writer.rule(kind="require", demand="m.flag")
    finding = only(writer, facts)
    assert (finding.truth, finding.rejects, finding.missing) == (Truth(truth), rejects, missing)


@pytest.mark.parametrize("kind", ["prefer", "avoid", "warn"])
def test_other_kinds_never_reject(writer, kind):
    writer.rule(kind=kind)
    finding = only(writer, {"m.a": 2})
    assert finding.truth is Truth.TRUE
    assert not finding.rejects
    assert finding.weight == 0.9


def test_estimates_and_procedures_carry_their_fields(writer):
    writer.rule("HW-01", kind="estimate", metric="latency_ms", low=1.1, high=1.8)
    writer.rule("HW-02", kind="procedure", step="do it")
    first, second = evaluate(writer.load(), {"m.a": 2}, "candidate")
    assert (first.metric, first.low, first.high) == ("latency_ms", 1.1, 1.8)
    assert second.step == "do it"


@pytest.mark.parametrize(
    ("template", "facts", "reason"),
    [
        ("{m.a}", {"m.a": 1.23456}, "1.23"),
        ("{m.a}", {"m.a": 12}, "12"),
        ("{m.a}", {"m.a": 4.09e9}, "4.09 G"),
        ("{m.b}", {"m.b": 1_048_576}, "1.05 MB"),
        ("{m.share:%}", {"m.share": 0.071}, "7.1 %"),
        ("{m.share:%} of {m.kind}", {}, "unknown of unknown"),
        ("{m.tags}", {"m.tags": {"int8", "fp16"}}, "fp16, int8"),
        ("{m.tags}", {"m.tags": []}, "none"),
        ("{m.flag}", {"m.flag": True}, "true"),
    ],
)
def test_the_reason_shows_values_to_three_digits(writer, template, facts, reason):
    writer.rule(when="true", kind="warn", reason=template)
    assert only(writer, facts).reason == reason


def test_scopes_are_asked_apart(writer):
    writer.rule("HW-01", scope="case", kind="warn")
    writer.rule("HW-02")
    base = writer.load()
    assert [f.rule for f in evaluate(base, {"m.a": 2}, "case")] == ["HW-01"]
    assert [f.rule for f in evaluate(base, {"m.a": 2}, "candidate")] == ["HW-02"]


def test_deprecated_rules_are_not_asked(writer):
    writer.rule(deprecated="replaced by HW-02")
    assert evaluate(writer.load(), {"m.a": 2}, "candidate") == ()


def test_a_rule_that_fires_sets_aside_the_rule_it_overrides(writer):
    writer.rule("HW-01")
    writer.rule("HW-02", when="m.flag", kind="prefer", title="The exception", overrides=["HW-01"])
    base = writer.load()
    general, exception = evaluate(base, {"m.a": 2, "m.flag": True}, "candidate")
    assert not general.rejects
    assert general.truth is Truth.TRUE
    assert general.weight == 0
    assert "Set aside by HW-02: The exception" in general.reason
    assert exception.weight == 0.9
    for facts in ({"m.a": 2, "m.flag": False}, {"m.a": 2}):
        assert evaluate(base, facts, "candidate")[0].rejects


def test_a_rule_set_aside_sets_nothing_aside(writer):
    writer.rule("HW-01")
    writer.rule("HW-02", when="m.flag", overrides=["HW-01"])
    writer.rule("HW-03", when="m.other", overrides=["HW-02"])
    facts = {"m.a": 2, "m.flag": True, "m.other": True}
    assert [f.rejects for f in evaluate(writer.load(), facts, "candidate")] == [True, False, True]


def test_an_estimate_set_aside_loses_its_figures(writer):
    writer.rule("HW-01", kind="estimate", metric="latency_ms", low=1.0, high=2.0)
    writer.rule("HW-02", kind="warn", when="m.flag", overrides=["HW-01"])
    finding = evaluate(writer.load(), {"m.a": 2, "m.flag": True}, "candidate")[0]
    assert (finding.low, finding.high) == (None, None)


def test_the_trace_of_a_veto_says_what_would_lift_it(writer):
    writer.rule(when="m.a > 1 and m.kind == 'gpu'")
    trace = only(writer, {"m.a": 2, "m.kind": "gpu"}).trace
    assert [child.passes_if for child in trace.children] == ["<= 1", "!= 'gpu'"]


def test_the_trace_of_a_require_says_what_its_demand_lacks(writer):
    writer.rule(kind="require", demand="m.share <= 0.5")
    trace = only(writer, {"m.a": 2, "m.share": 0.7}).trace
    when, demand = trace.children
    assert (when.passes_if, demand.passes_if) == ("<= 1", "<= 0.5")
    assert trace.truth is Truth.FALSE


def test_a_silent_rule_is_explained_on_demand(writer):
    writer.rule(kind="prefer")
    base = writer.load()
    assert evaluate(base, {"m.a": 0}, "candidate")[0].trace is None
    assert explain(base, "HW-01", {"m.a": 0}).passes_if == "> 1"


def test_findings_do_not_depend_on_the_order_of_facts(writer):
    writer.rule("HW-01")
    writer.rule("HW-02", when="m.flag", kind="warn")
    base = writer.load()
    facts = {"m.a": 2, "m.flag": True}
    assert evaluate(base, facts, "candidate") == evaluate(base, dict(reversed(facts.items())), "candidate")


def test_facts_of_the_wrong_kind_are_an_error_that_names_them(writer):
    writer.rule()
    with pytest.raises(KnowledgeError, match=r"m\.a: 'two' is not a number"):
        evaluate(writer.load(), {"m.a": "two"}, "candidate")
