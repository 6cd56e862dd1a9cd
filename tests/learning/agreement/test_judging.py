"""Rules held against pairs: who is heard, what counts as right, which verdict follows."""

from dataclasses import replace

import pytest

from advisor.learning.agreement.claims import claim_of
from advisor.learning.agreement.judging import judge
from advisor.learning.agreement.pair import ACCURACY, LATENCY, SIZE, Pair
from advisor.learning.agreement.settings import Judged
from advisor.rules import RuleBase, load_rules
from advisor.schema import Rule

JUDGED = Judged(pairs=4, hit_rate=0.7, same_speed=0.05, same_accuracy=0.5)
INT8 = {"plan.full_int8": True, "plan.precision": "int8", "rt.unit": "cpu"}


def record(**fields) -> str:
    lines = {
        "id": "XX-01", "title": "T", "group": "test", "kind": "estimate", "origin": "X", "certainty": "strong",
        "when": "plan.full_int8", "reason": "R.", "sources": [{"ref": "a table"}],
        "cases": {"fires": {"plan.full_int8": True}, "silent": {"plan.full_int8": False}},
    } | fields  # fmt: skip
    return "\n".join(f"{key}: {value!r}" for key, value in lines.items()) + "\n"


ESTIMATE = {"metric": "latency_ms", "low": 1.0, "high": 2.0}


@pytest.fixture
def base(tmp_path):
    def build(*records: str) -> RuleBase:
        for i, text in enumerate(records):
            (tmp_path / f"XX-{i:02}.yaml").write_text(text)
        return load_rules(root=tmp_path)

    return build


def pair(observed: float, model: str = "a", metric: str = LATENCY, changed: str = "plan", **facts) -> Pair:
    named = {name.replace("__", "."): value for name, value in facts.items()}
    return Pair("s", model, "d", metric, changed, observed, {**INT8, **named})


def verdict(base: RuleBase, pairs: list[Pair], rule: str = "XX-01"):
    return next(item for item in judge(base, pairs, JUDGED) if item.rule == rule)


@pytest.mark.parametrize(
    ("fields", "good", "bad"),
    [
        (ESTIMATE, 1.5, 2.5),
        ({"metric": "accuracy_delta_pp", "low": -2.0, "high": 0.0}, -1.0, 0.5),
        ({"kind": "prefer", "checks": "latency"}, 0.96, 0.9),
        ({"kind": "avoid", "checks": "latency"}, 1.04, 1.2),
        ({"kind": "veto", "checks": "latency"}, 0.2, 1.2),
        ({"kind": "warn", "checks": "accuracy"}, -3.0, -0.1),
        ({"kind": "prefer", "checks": "accuracy"}, -0.1, -3.0),
        ({"kind": "avoid", "checks": "size"}, 1.0, 4.0),
    ],
)
def test_a_claim_is_borne_out_by_the_right_measurements(fields, good, bad):
    texts = {"sources": [{"ref": "r"}], "cases": {"fires": {}, "silent": {}}}
    rule = Rule.model_validate(
        {"id": "XX-01", "title": "T", "group": "g", "kind": "estimate", "origin": "X", "certainty": "strong",
         "when": "plan.full_int8", "reason": "R.", **texts, **fields}
    )  # fmt: skip
    claim = claim_of(rule, JUDGED)
    assert claim is not None
    assert claim.holds(good)
    assert not claim.holds(bad)


def test_a_rule_that_no_measurement_could_contradict_claims_nothing(base):
    assert not judge(base(record(kind="avoid")), [pair(1.0)], JUDGED)


@pytest.mark.parametrize(
    ("observed", "fields", "expected"),
    [
        ([1.5] * 4, {}, "holds"),
        ([1.5, 1.5, 5.0, 5.0], {}, "contradicted"),
        ([1.5, 1.5, 5.0, 5.0], {"wrong_when": "On such boards."}, "explained"),
        ([5.0] * 3, {}, "few"),
        ([], {}, "silent"),
    ],
)
def test_the_verdict_follows_from_hits_and_numbers(base, observed, fields, expected):
    found = verdict(base(record(**ESTIMATE, **fields)), [pair(value) for value in observed])
    assert (found.verdict, found.n) == (expected, len(observed))
    if expected == "explained":
        assert found.note == "On such boards."


def test_one_network_with_many_rows_does_not_outvote_the_others(base):
    pairs = [pair(5.0, "grid") for _ in range(20)] + [pair(1.5, model) for model in "bcd"]
    found = verdict(base(record(**ESTIMATE)), pairs)
    assert (found.hit_rate, found.models, found.verdict) == (0.75, 4, "holds")


@pytest.mark.parametrize(
    "silent",
    [
        pair(1.5, plan__full_int8=False),
        pair(1.5, metric=ACCURACY),
        pair(1.5, metric=SIZE),
        pair(1.5, changed="unit"),
    ],
)
def test_only_pairs_about_the_rules_question_are_heard(base, silent):
    assert verdict(base(record(**ESTIMATE)), [silent]).n == 0


def test_rules_about_units_hear_pairs_of_units(base):
    rules = base(record(kind="avoid", checks="latency", when="rt.unit == 'gpu'"))
    pairs = [pair(0.1, changed="unit", rt__unit="gpu"), pair(3.0, rt__unit="gpu")]
    assert (verdict(rules, pairs).n, verdict(rules, pairs).hit_rate) == (1, 1.0)


def test_an_unknown_fact_makes_a_pair_undecided_and_is_named(base):
    found = verdict(base(record(**ESTIMATE, when="plan.full_int8 and model.has_se")), [pair(1.5), pair(1.5)])
    assert (found.n, found.undecided) == (0, 2)
    assert "model.has_se" in found.note


def test_a_requirement_is_judged_by_what_it_rejects_and_preferences_are_not_asked_of_that(base):
    demand = record(kind="require", checks="latency", demand="plan.signedness == 'u8s8'")
    liking = record(id="XX-02", kind="prefer", checks="latency")
    rules = base(demand, liking)
    pairs = [pair(0.8, plan__signedness="s8s8"), pair(2.0, plan__signedness="u8s8"), pair(2.0)]
    assert (verdict(rules, pairs).n, verdict(rules, pairs).hit_rate, verdict(rules, pairs).undecided) == (1, 1.0, 1)
    assert verdict(rules, pairs, "XX-02").low == 2.0


def test_a_rule_that_another_sets_aside_is_not_heard(base):
    over = record(id="XX-02", kind="warn", overrides=["XX-01"], when="rt.unit == 'cpu'")
    assert verdict(base(record(**ESTIMATE), over), [pair(1.5)]).n == 0


@pytest.mark.parametrize(
    ("ref", "drawn"),
    [
        ("brevitas in knowledge/evidence/accuracy.csv.gz", True),
        ("Own measurement: x86", True),
        ("accuracy evidence, section 1", True),
        ("Tencent/ncnn@a4d2ea1d benchmark/README.md", True),
        ("quic/ai-hub-models v0.46.1", False),
        ("Tencent/ncnnlike", False),
        ("a paper", False),
    ],
)
def test_figures_drawn_from_the_measurements_of_the_pairs_are_marked(base, ref, drawn):
    pairs = [replace(pair(1.5), source=source) for source in ("brevitas", "ncnn-benchmark")]
    assert verdict(base(record(**ESTIMATE, sources=[{"ref": ref}])), pairs).drawn is drawn
