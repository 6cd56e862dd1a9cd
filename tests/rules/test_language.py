"""The language against two oracles: Kleene's tables written out here, and Python itself where everything is known."""

from itertools import product
from math import isnan
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.rules.parse import parse

NOT = {True: False, False: True, None: None}
AND = {
    (True, True): True, (True, False): False, (True, None): None,
    (False, True): False, (False, False): False, (False, None): False,
    (None, True): None, (None, False): False, (None, None): None,
}  # fmt: skip
OR = {
    (True, True): True, (True, False): True, (True, None): True,
    (False, True): True, (False, False): False, (False, None): None,
    (None, True): True, (None, False): None, (None, None): None,
}  # fmt: skip
COMPARE = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip

numbers = st.sampled_from([-2, 0, 1, 2.5, 7])
number_leaves = st.one_of(
    st.tuples(st.just("number"), numbers), st.tuples(st.just("fact"), st.sampled_from(["m.a", "m.b", "plan.x"]))
)
number_trees = st.recursive(
    number_leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.sampled_from(["min", "max", "ceil_to"]), inner, inner),
    ),
    max_leaves=4,
)
leaves = st.one_of(
    st.tuples(st.just("fact"), st.sampled_from(["m.flag", "m.other"])),
    st.tuples(st.just("compare"), st.sampled_from(sorted(COMPARE)), number_trees, number_trees),
    st.tuples(st.just("chain"), numbers, number_trees, numbers),
    st.tuples(st.just("kind"), st.sampled_from(["==", "!="]), st.sampled_from(["cpu", "gpu"])),
    st.tuples(st.just("among"), st.booleans()),
    st.tuples(st.just("holds"), st.sampled_from(["in", "not in", "has"]), st.sampled_from(["int8", "fp16"])),
    st.tuples(st.just("disjoint")),
    st.tuples(st.just("known"), st.sampled_from(["m.a", "m.flag", "m.tags"])),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), inner, inner)),
    max_leaves=6,
)
facts_given = st.fixed_dictionaries(
    {},
    optional={
        "m.a": st.one_of(st.none(), numbers),
        "m.b": numbers,
        "plan.x": st.one_of(numbers, st.just(float("nan"))),
        "m.flag": st.booleans(),
        "m.other": st.booleans(),
        "m.kind": st.sampled_from(["cpu", "gpu", "npu"]),
        "m.tags": st.sampled_from([["int8"], ["fp16", "fp32"], []]),
    },
)


def write(tree: Any) -> str:  # noqa: PLR0911 - one branch per form
    match tree:
        case ("number", value):
            return f"({value})" if value < 0 else str(value)
        case ("fact" | "known", name):
            return name if tree[0] == "fact" else f"known({name})"
        case ("+" | "-" | "*" | "/", left, right):
            return f"({write(left)} {tree[0]} {write(right)})"
        case ("min" | "max" | "ceil_to", left, right):
            return f"{tree[0]}({write(left)}, {write(right)})"
        case ("compare", symbol, left, right):
            return f"{write(left)} {symbol} {write(right)}"
        case ("chain", low, middle, high):
            return f"{low} < {write(middle)} <= {high}"
        case ("kind", symbol, value):
            return f"m.kind {symbol} '{value}'"
        case ("among", negated):
            return f"m.kind {'not in' if negated else 'in'} {{'cpu', 'npu'}}"
        case ("holds", "has", value):
            return f"has(m.tags, '{value}')"
        case ("holds", symbol, value):
            return f"'{value}' {symbol} m.tags"
        case ("disjoint",):
            return "disjoint(m.tags, {'int8', 'fp32'})"
        case ("not", inner):
            return f"not ({write(inner)})"
        case (word, left, right):
            return f"({write(left)}) {word} ({write(right)})"
    raise AssertionError(tree)


def lookup(facts: dict[str, Any], name: str) -> Any:
    value = facts.get(name)
    return None if isinstance(value, float) and isnan(value) else value


def number_of(tree: Any, facts: dict[str, Any]) -> float | None:
    match tree:
        case ("number", value):
            return value
        case ("fact", name):
            return lookup(facts, name)
        case (symbol, left, right):
            a, b = number_of(left, facts), number_of(right, facts)
            if a is None or b is None:
                return None
            if symbol == "ceil_to":
                return None if b <= 0 else -(-a // b) * b
            if symbol in ("min", "max"):
                return min(a, b) if symbol == "min" else max(a, b)
            if symbol == "/":
                return a / b if b else None
            return {"+": a + b, "-": a - b, "*": a * b}[symbol]
    raise AssertionError(tree)


def truth_of(tree: Any, facts: dict[str, Any]) -> bool | None:  # noqa: PLR0911 - one branch per form
    kind, tags = facts.get("m.kind"), facts.get("m.tags")
    match tree:
        case ("fact", name):
            return lookup(facts, name)
        case ("known", name):
            return lookup(facts, name) is not None
        case ("compare", symbol, left, right):
            a, b = number_of(left, facts), number_of(right, facts)
            return None if a is None or b is None else COMPARE[symbol](a, b)
        case ("chain", low, middle, high):
            value = number_of(middle, facts)
            return None if value is None else low < value <= high
        case ("kind", symbol, value):
            return None if kind is None else (kind == value) is (symbol == "==")
        case ("among", negated):
            return None if kind is None else (kind in ("cpu", "npu")) is not negated
        case ("holds", symbol, value):
            return None if tags is None else (value in tags) is (symbol != "not in")
        case ("disjoint",):
            return None if tags is None else not {"int8", "fp32"} & set(tags)
        case ("not", inner):
            return NOT[truth_of(inner, facts)]
        case ("and", left, right):
            return AND[truth_of(left, facts), truth_of(right, facts)]
        case ("or", left, right):
            return OR[truth_of(left, facts), truth_of(right, facts)]
    raise AssertionError(tree)


@settings(max_examples=300, deadline=None)
@given(tree=trees, facts=facts_given)
def test_evaluation_follows_kleene(words, tree, facts):
    assert parse(write(tree), words).run(facts) is truth_of(tree, facts)


EVERYTHING = {
    "m.a": 2.5, "m.b": 1, "plan.x": 7, "m.flag": True, "m.other": False, "m.kind": "npu", "m.tags": ["fp16", "int8"],
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(tree=trees.filter(lambda t: "ceil_to" not in str(t)))
def test_with_all_facts_known_python_agrees(words, tree):
    text = write(tree)
    spaces = {"m": SimpleNamespace(), "plan": SimpleNamespace()}
    for name, value in EVERYTHING.items():
        space, _, field = name.partition(".")
        setattr(spaces[space], field, value)
    functions = {
        "has": lambda s, e: e in s, "disjoint": lambda a, b: set(a).isdisjoint(b), "known": lambda v: v is not None,
        "min": min, "max": max,
    }  # fmt: skip
    try:
        expected = eval(text, {"__builtins__": {}}, spaces | functions)
    except ZeroDivisionError:
        return
    assert parse(text, words).run(EVERYTHING) is expected


@settings(max_examples=100, deadline=None)
@given(tree=trees.filter(lambda t: "known" not in str(t)), facts=facts_given)
def test_a_decided_condition_stays_decided_when_more_becomes_known(words, tree, facts):
    expr = parse(write(tree), words)
    decided = expr.run(facts)
    if decided is None:
        return
    for extra in ({"m.flag": True, "m.a": 7}, {"m.flag": False, "m.kind": "cpu"}, {"m.tags": [], "plan.x": 0}):
        completed = {**extra, **{k: v for k, v in facts.items() if lookup(facts, k) is not None}}
        assert expr.run(completed) is decided


@pytest.mark.parametrize(("left", "right"), list(product([True, False, None], repeat=2)))
def test_and_and_or_follow_the_tables(words, left, right):
    facts = {"m.flag": left, "m.other": right}
    assert parse("m.flag and m.other", words).run(facts) is AND[left, right]
    assert parse("m.flag or m.other", words).run(facts) is OR[left, right]


@pytest.mark.parametrize(
    ("text", "facts", "value"),
    [
        ("m.a / m.b > 1", {"m.a": 1, "m.b": 0}, None),
        ("m.a * m.b > 1", {"m.a": 1e308, "m.b": 1e308}, True),
        ("m.a - m.b > 1", {"m.a": float("inf"), "m.b": float("inf")}, None),
        ("ceil_to(m.a, 8) == 56", {"m.a": 50}, True),
        ("ceil_to(m.a, 8) == 64", {"m.a": 64}, True),
        ("ceil_to(m.a, m.b) > 0", {"m.a": 50, "m.b": 0}, None),
        ("m.a == 10 / 4", {"m.a": 2.5}, True),
        ("-1.5 < m.a", {"m.a": 0}, True),
        ("m.a > 100_000", {"m.a": 100_001}, True),
        ("m.a in {5.3, 6.2}", {"m.a": 5.3}, True),
        ("m.kind in m.more", {"m.kind": "cpu", "m.more": ["cpu"]}, True),
        ("known(m.a) and m.a > 1", {}, False),
        ("not known(m.a)", {"m.a": float("nan")}, True),
        ("m.flag == true", {"m.flag": True}, True),
        ("true or m.flag", {}, True),
        ("max(m.a, 1, m.b) == 3", {"m.a": 2, "m.b": 3}, True),
    ],
)
def test_values_by_hand(words, text, facts, value):
    assert parse(text, words).run(facts) is value
