"""Where conditions turn, held against asking them on either side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.ranking.turning.breakpoints import numbers, others, thresholds
from advisor.rules.parse import parse
from advisor.rules.vocabulary import load_vocabulary

WORDS = load_vocabulary()
PARAMS, SHARE = "model.params", "model.dw_mac_share"


@pytest.mark.parametrize(
    ("condition", "facts", "found"),
    [
        (f"{PARAMS} > 5_000_000", {}, (5e6,)),
        (f"5_000_000 >= {PARAMS}", {}, (5e6,)),
        (f"model.weight_bytes >= 4 * {PARAMS}", {"model.weight_bytes": 8e6}, (2e6,)),
        (f"model.weight_bytes >= 4 * {PARAMS}", {}, ()),  # the other side is not known
        (f"{PARAMS} * {PARAMS} > 100", {}, ()),  # no straight line
        (f"{PARAMS} - {PARAMS} > 1", {}, ()),  # it cancels out
        ("model.macs > 1", {}, ()),
    ],
)
def test_thresholds_are_where_both_sides_meet(condition, facts, found):
    assert thresholds(PARAMS, [parse(condition, WORDS, "when")], [facts]) == pytest.approx(found)


@given(st.floats(0.01, 0.99), st.floats(0.0, 1.0), st.sampled_from(["<", "<=", ">", ">="]))
def test_the_values_tried_show_every_answer_of_a_condition(threshold, present, symbol):
    condition = parse(f"{SHARE} {symbol} {threshold!r}", WORDS, "when")
    below, above = numbers(WORDS[SHARE], present, (threshold,))
    assert {condition.run({SHARE: v}) for v in (present, *below, *above)} == {True, False}
    assert all(v < present for v in below)
    assert all(v > present for v in above)


@pytest.mark.parametrize(
    ("name", "present", "found", "tried"),
    [
        (PARAMS, 10, (5.0, 20.0), ((5, 4), (20, 21))),
        (PARAMS, 10, (4.5,), ((4, 3), ())),
        (SHARE, 0.5, (1.0,), ((), (1.0,))),  # nothing lies above one
        ("data.calib_n", None, (32.0,), ((), (31, 32, 33))),
    ],
)
def test_counts_stay_whole_and_values_legal(name, present, found, tried):
    assert numbers(WORDS[name], present, found) == tried


@pytest.mark.parametrize(
    ("name", "present", "condition", "found"),
    [
        ("model.has_se", True, "model.has_se", (False,)),
        ("model.has_se", None, "model.has_se", (True, False)),
        ("model.reparam_state", "none", "model.reparam_state == 'training'", ("training",)),
        ("model.reparam_state", "training", "model.reparam_state == 'training'", ("none",)),
        ("dev.isa", {"neon"}, "has(dev.isa, 'dotprod')", (frozenset({"neon", "dotprod"}),)),
        ("dev.isa", {"dotprod"}, "has(dev.isa, 'dotprod')", (frozenset(),)),
        ("dev.isa", None, "has(dev.isa, 'dotprod')", (frozenset(), frozenset({"dotprod"}))),
    ],
)
def test_names_and_sets_try_what_conditions_mention(name, present, condition, found):
    assert others(WORDS[name], present, [parse(condition, WORDS, "when")]) == found
