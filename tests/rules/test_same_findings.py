"""The shortcuts of the engine change nothing: the findings are those of asking every rule anew, in any order."""

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.rules import evaluate
from advisor.rules.evaluate import SCOPES
from advisor.schema import Truth

from .conditions import conditions, some_facts
from .conftest import RULE

_kinds = st.sampled_from(["veto", "prefer", "warn"])
_rules = st.lists(st.tuples(conditions, _kinds, st.booleans()), min_size=1, max_size=6)


def base_of(writer, rules):
    """Write rules; every second one may override the one before it."""
    for path in writer.root.rglob("*.yaml"):
        path.unlink()
    for number, (when, kind, overrides) in enumerate(rules):
        id = f"HW-{number:02}"
        record = RULE | {"id": id, "when": when, "kind": kind, "reason": "{m.a} {m.tags} {plan.x}"}
        record["overrides"] = [f"HW-{number - 1:02}"] if overrides and number else []
        writer.text(f"{id}-a-rule.yaml", yaml.safe_dump(record))
    return writer.load()


def fresh(base):
    """Return the same rules without anything remembered."""
    return base.of(base)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=_rules, cases=st.lists(some_facts, min_size=2, max_size=6), order=st.randoms())
def test_findings_do_not_depend_on_what_was_asked_before(writer, rules, cases, order):
    base = base_of(writer, rules)
    # The same case for several plans, so that rules which the case excludes are left out.
    asked = [case | {"plan.x": x} for case in cases for x in (None, 0, 2)]
    order.shuffle(asked)
    asked += [asked[-1] | {"plan.x": 1}, asked[-1] | {"plan.x": None}, asked[-1]]
    for facts in asked:
        for scope in SCOPES:
            findings = evaluate(base, facts, scope)
            assert findings == evaluate(fresh(base), facts, scope)
            assert [f.rule for f in findings] == [e.rule.id for e in base if e.rule.scope == scope]
            for finding in findings:
                truth = base.get(finding.rule).when.run(facts)
                assert finding.truth is (Truth.UNKNOWN if truth is None else Truth.TRUE if truth else Truth.FALSE)


def test_lists_among_the_facts_are_no_obstacle(writer):
    writer.rule(when="has(m.tags, 'int8')", kind="warn")
    base = writer.load()
    for _ in range(3):
        assert evaluate(base, {"m.tags": ["int8"]}, "candidate")[0].truth is Truth.TRUE


def test_what_is_remembered_is_bounded(writer, monkeypatch):
    monkeypatch.setattr("advisor.rules.memory.MAX_FINDINGS", 3)
    writer.rule()
    base = writer.load()
    reasons = [evaluate(base, {"m.a": a}, "candidate")[0].reason for a in (2, 3, 4, 5, 6, 2)]
    assert reasons == [f"m.a is {a}" for a in (2, 3, 4, 5, 6, 2)]
