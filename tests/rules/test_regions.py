"""What boxes say of conditions holds for the conditions: nothing impossible happens, nothing inside lies outside."""

from hypothesis import given, settings

from advisor.rules.parse import parse
from advisor.rules.partial import foresee
from advisor.rules.regions import can_hold, covers, meeting, region, signature

from .conditions import all_facts, conditions, some_facts

LIGHT = settings(max_examples=150, deadline=None)


@LIGHT
@given(text=conditions, facts=all_facts)
def test_what_is_impossible_never_holds_and_what_is_certain_never_fails(words, text, facts):
    condition = parse(text, words)
    truth = condition.run(facts)
    assert can_hold(condition, words) or not truth
    assert can_hold(condition, words, positive=False) or truth


@LIGHT
@given(first=conditions, second=conditions, facts=all_facts)
def test_regions_contain_and_exclude_each_other_as_the_conditions_do(words, first, second, facts):
    one, other = parse(first, words), parse(second, words)
    a, b = region(one, words), region(other, words)
    held = one.run(facts), other.run(facts)
    assert not covers(a, b) or not held[1] or held[0]
    assert meeting(a, b) or not all(held)
    assert signature(one) != signature(other) or held[0] is held[1]


@LIGHT
@given(text=conditions, facts=some_facts)
def test_a_condition_is_inside_itself_and_inside_its_alternatives(words, text, facts):
    condition, wider = parse(text, words), parse(f"{text} or m.flag", words)
    own = region(condition, words)
    assert not own or (covers(own, own) and covers(region(wider, words), own))


@LIGHT
@given(text=conditions, early=some_facts, late=some_facts)
def test_what_is_foreseen_stays_true_when_more_facts_come(words, text, early, late):
    condition = parse(text, words)
    known = {name: value for name, value in early.items() if value is not None}
    foreseen = foresee(condition, lambda name: name not in known)(known)
    assert foreseen is None or condition.run(late | known) is foreseen
