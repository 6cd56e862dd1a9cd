"""What must not change a ranking, whatever estimates and findings are: order, units, doubled and removed entries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.ranking.rank import decide
from advisor.ranking.utility import rule_balance
from advisor.schema import Goal, Limit, Metric, Plan, Truth
from advisor.techniques.half.step import Half
from tests.ranking.builders import candidate, estimate, finding

COSTS = (Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ENERGY)
KINDS = st.sampled_from(["balanced", "latency", "size", "memory", "energy", "accuracy"])
few = settings(max_examples=40, deadline=None)
EFFECTS = st.lists(
    st.builds(
        finding,
        rule=st.sampled_from([f"AA-{n:02}" for n in range(12)]),
        kind=st.sampled_from(["prefer", "avoid", "warn"]),
        weight=st.sampled_from([0.0, 0.35, 0.65, 0.9]),
        same_evidence=st.sampled_from(["", "", "one", "two"]),
        truth=st.sampled_from([Truth.TRUE, Truth.UNKNOWN]),
    ),
    max_size=3,
    unique_by=lambda f: f.rule,
)
COST = st.sampled_from([1.0, 2.0, 2.05, 5.0, 10.0, 10.2, 30.0, 100.0])  # some so close that they count as equal
LOSS = st.sampled_from([0.0, 0.05, 0.5, 1.0, 3.0])
ROWS = st.lists(
    st.tuples(COST, COST, COST, COST, LOSS, st.sampled_from([0.0, 0.3, 1.0]), EFFECTS, st.booleans(), st.booleans()),
    min_size=3,
    max_size=6,
)
BOUNDS = st.dictionaries(st.sampled_from(COSTS), COST, max_size=2)


def made(rows, *, known=False):
    """Plans 0 and 1 compress nothing; gains are scored against plan 1, whose costs are all known if `known`."""
    found = []
    for number, (*costs, loss, effort, effects, vetoed, energy_known) in enumerate(rows):
        estimates = {m: estimate(m, value) for m, value in zip(COSTS, costs, strict=True)}
        if not energy_known and not (known and number == 1):
            del estimates[Metric.ENERGY]
        estimates[Metric.ACCURACY] = estimate(Metric.ACCURACY, -loss if number > 1 else 0.0, 0.3)
        steps = (Half(),) if number > 1 else ()
        veto = (finding("ZZ-01", rejects=True),) * (vetoed and number > 1)
        found.append(
            candidate(
                number, 1.0, estimates=estimates, findings=(*effects, *veto), effort=effort if steps else 0.0,
                plan=Plan(steps=steps, runtime="pytorch" if not number else "onnxruntime"),
            )
        )  # fmt: skip
    return found


def asked(kind, bounds):
    return Goal(kind=kind, limits=tuple(Limit(metric=m, bound=b) for m, b in bounds.items()))


def outcome(candidates, goal):
    """What a decision says of every plan by its number, and the order of the plans that are not rejected."""
    ranked, winner = decide(candidates, goal, 1)
    fates = {c.number: (c.status, bool(c.rejected_by), c.pareto, c.dominated_by) for c in ranked}
    return winner, fates, [c.number for c in ranked if not c.rejected_by]


@few
@given(ROWS, KINDS, BOUNDS, st.randoms())
def test_the_order_of_plans_changes_nothing(rows, kind, bounds, random):
    plans, goal = made(rows), asked(kind, bounds)
    shuffled = random.sample(plans, len(plans))
    assert outcome(plans, goal) == outcome(shuffled, goal)
    assert [c.number for c in decide(plans, goal, 1)[0]] == [c.number for c in decide(shuffled, goal, 1)[0]]


@few
@given(ROWS, KINDS, BOUNDS, st.sampled_from(COSTS), st.sampled_from([0.001, 0.125, 8.0, 1000.0]))
def test_the_unit_of_a_cost_and_its_limit_changes_nothing(rows, kind, bounds, metric, factor):
    plans = made(rows)
    other = [
        c.model_copy(
            update={
                "estimates": c.estimates
                | {
                    m: e.model_copy(update={"low": e.low * factor, "mid": e.mid * factor, "high": e.high * factor})
                    for m, e in c.estimates.items()
                    if m is metric
                }
            }
        )
        for c in plans
    ]
    goal = asked(kind, bounds)
    rescaled = asked(kind, {m: b * factor if m is metric else b for m, b in bounds.items()})
    assert outcome(plans, goal) == outcome(other, rescaled)


@few
@given(ROWS, KINDS, BOUNDS)
def test_rejected_plans_have_no_say(rows, kind, bounds):
    """Where a cost of plan 1 is unknown, the dearest plan of all is the yardstick, be it rejected or not."""
    plans, goal = made(rows, known=True), asked(kind, bounds)
    winner, fates, order = outcome(plans, goal)
    kept = [c for c in plans if c.number == 1 or not fates[c.number][1]]  # plan 1 is the yardstick
    left = outcome(kept, goal)
    assert (winner, order) == (left[0], left[2])
    assert left[1] == {number: fates[number] for number in left[1]}


@few
@given(ROWS, KINDS, BOUNDS, st.data())
def test_a_further_veto_promotes_no_plan(rows, kind, bounds, data):
    """A plan that the veto does not name keeps its score and its place among the others, and no rejected plan opens.

    A plan may only rise by the fall of another: where it was dominated, its dominators must be among those that fell.
    """
    plans, goal = made(rows), asked(kind, bounds)
    fallen = data.draw(st.sets(st.sampled_from([c.number for c in plans if c.number != 1])))
    vetoed = [
        c.model_copy(update={"findings": (*c.findings, *(finding("ZZ-99", rejects=True),) * (c.number in fallen))})
        for c in plans
    ]
    before, after = decide(plans, goal, 1)[0], decide(vetoed, goal, 1)[0]
    was = {c.number: c for c in before}
    for c in after:
        assert c.utility == was[c.number].utility
        assert (not c.rejected_by) <= (not was[c.number].rejected_by)
    alive = [c.number for c in after if not c.rejected_by and c.status != "recommended"]
    ranks = [c.number for c in sorted(before, key=lambda c: (-c.utility, c.number)) if c.number in alive]
    assert alive == ranks
    if not fallen & {c.number for c in before if not c.rejected_by}:
        assert outcome(plans, goal)[0] == outcome(vetoed, goal)[0]


@given(EFFECTS, st.randoms())
def test_the_order_of_findings_changes_no_score(effects, random):
    assert rule_balance(tuple(effects)) == pytest.approx(rule_balance(tuple(random.sample(effects, len(effects)))))


@given(EFFECTS, st.integers(2, 5))
def test_rules_on_the_same_evidence_count_once(effects, times):
    grouped = [f.model_copy(update={"same_evidence": f.same_evidence or "one"}) for f in effects]
    copies = [f.model_copy(update={"rule": f"{f.rule}{n}"}) for f in grouped for n in "abcde"[:times]]
    assert rule_balance(tuple(copies)) == pytest.approx(rule_balance(tuple(grouped)))


@few
@given(ROWS, KINDS, BOUNDS, st.sampled_from(COSTS), st.floats(0.05, 1.0))
def test_a_tighter_limit_opens_no_plan(rows, kind, bounds, metric, factor):
    plans = made(rows)
    loose = bounds | {metric: bounds.get(metric, 60.0)}
    tight = loose | {metric: loose[metric] * factor}
    opened = [{n for n, fate in outcome(plans, asked(kind, b))[1].items() if not fate[1]} for b in (loose, tight)]
    assert opened[1] <= opened[0]
