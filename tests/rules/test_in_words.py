"""Conditions in English: the right words, none of the facts lost, and the same logic as the condition."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.errors import KnowledgeError
from advisor.resources import data_dir
from advisor.rules import load_rules
from advisor.rules.expressions import Expr
from advisor.rules.in_words import Clause, clauses, in_words, points
from advisor.rules.parse import parse
from advisor.rules.phrases import load_phrases
from advisor.rules.vocabulary import load_vocabulary
from advisor.rules.yaml_reader import read_mapping

FACTS = load_vocabulary()
PHRASES = load_phrases(FACTS)
NAMES = {kind: sorted(name for name, spec in FACTS.items() if spec.type == kind) for kind in ("bool", "number")}
TEXTS = sorted(name for name, spec in FACTS.items() if spec.type == "string" and len(spec.values) > 1)
SETS = sorted(name for name, spec in FACTS.items() if spec.type == "set" and len(spec.values) > 1)


def told(condition: str) -> str:
    return in_words(parse(condition, FACTS), PHRASES)


EXAMPLES = """
model.dw_mac_share > 0.05
    the share of MACs in depthwise convolutions is above 5 %

0.05 < model.dw_mac_share
    the share of MACs in depthwise convolutions is above 5 %

not model.dw_mac_share > 0.05
    the share of MACs in depthwise convolutions is at most 5 %

plan.macs_ratio >= 0.125
    the share of MACs that the plan keeps is at least 12.5 %

plan.weight_bytes > 442368
    the size of the plan's weights is above 442.368 kB

plan.weight_bytes > 442369
    the size of the plan's weights is above 442.369 kB

plan.weight_bytes == 1234567
    the size of the plan's weights is 1,234,567 bytes

user.max_drop_pp != 1
    the accepted loss of accuracy is not 1 points

model.macs < 20e6
    the number of MACs of one forward pass is below 20 million

data.calib_n < 1_024
    the number of images for calibration is below 1,024

model.macs >= 4 * model.weight_bytes
    the number of MACs of one forward pass is at least 4 times the size of the weights in the file

(user.latency_ms + 1) * 2 < 9
    2 times (the latency limit plus 1 ms) is below 9 ms

user.latency_ms - (user.latency_ms - 1) < 9
    the latency limit minus (the latency limit minus 1 ms) is below 9 ms

max(data.calib_n, 3, data.test_n) > 5
    the largest of the number of images for calibration, 3 and the number of held-out labelled images is above
    5

ceil_to(plan.round_to, rt.ch_align) == plan.round_to
    the step between kept widths is a multiple of the step that the unit pads channels to

ceil_to(plan.round_to, 8) > 16
    the step between kept widths rounded up to a multiple of 8 is above 16

rt.unit == 'npu'
    the plan runs on the NPU

rt.unit not in {'npu', 'cpu'}
    the plan runs on neither the CPU nor the NPU

not (rt.name in {'ncnn', 'tflite', 'rknn'})
    the runtime is none of ncnn, rknn and tflite

dev.cuda_cc in {5.3, 6.2}
    the compute capability of the NVIDIA GPU is 5.3 or 6.2

plan.precision in {'int8'}
    the plan computes in int8

rt.default_float == plan.precision
    the float type that the runtime computes in there is the same as the precision of the plan

'int8' not in rt.precisions
    the runtime does not execute int8 there

not has(plan.techniques, 'qat')
    the plan does not use quantization-aware training

plan.weight_gran in rt.weight_gran
    the granularity of the plan's weight scales is in the set of granularities of weight scales that the unit
    accepts

disjoint(dev.isa, {'dotprod', 'i8mm'})
    the CPU has none of dotprod and i8mm

not disjoint({'dotprod', 'i8mm'}, dev.isa)
    the CPU has dotprod or i8mm

disjoint(dev.isa, {'avx2'})
    the CPU lacks avx2

disjoint(dev.isa, dev.cores)
    the set of CPU instructions and the set of CPU cores have nothing in common

known(user.latency_ms)
    the latency limit is known

not known(dev.os)
    it is not known whether the device runs an operating system

not known(dev.ram_bytes)
    the main memory of the device is not known

not dev.os
    the device runs no operating system

dev.os == false
    the device runs no operating system

true != (dev.os and not dev.is_host)
    the device runs no operating system or the target is this machine

dev.os == dev.is_host
    the device runs an operating system exactly when the target is this machine

dev.os and dev.is_host and plan.quantized
    the device runs an operating system, the target is this machine, and the plan stores weights in 8 bits or
    fewer

dev.os and (dev.is_host or plan.quantized)
    the device runs an operating system; and either the target is this machine or the plan stores weights in 8
    bits or fewer

not (dev.os and dev.is_host)
    the device runs no operating system or the target is not this machine

0.1 < model.dw_mac_share <= 0.2
    the share of MACs in depthwise convolutions is above 10 % and the share of MACs in depthwise convolutions
    is at most 20 %

1 < 2
    1 is below 2

not true
    this never holds
"""


def examples() -> list[tuple[str, str]]:
    pairs = (stanza.strip().split("\n", 1) for stanza in EXAMPLES.split("\n\n"))
    return [(condition, " ".join(words.split())) for condition, words in pairs]


@pytest.mark.parametrize(("condition", "words"), examples())
def test_a_condition_reads_as_english(condition, words):
    assert told(condition) == words


FUNCTIONS, SYMBOLS = ("min", "max", "ceil_to"), ("<", "<=", ">", ">=", "==", "!=")
UNITS = sorted({FACTS[name].unit for name in NAMES["number"]})
numbers = st.sampled_from(["0", "0.05", "1", "-3", "100_000", "2.5e9", "1e-7"])


def amounts(unit: str):
    """Make numbers of one unit: facts of different units are not compared."""
    fitting = [name for name in NAMES["number"] if FACTS[name].unit in (unit, "")]
    return st.recursive(
        st.sampled_from(fitting) | numbers,
        lambda inner: (
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
            | st.tuples(st.sampled_from(["min", "max", "ceil_to"]), inner, inner).map(
                lambda t: f"{t[0]}({t[1]}, {t[2]})"
            )
        ),
        max_leaves=4,
    )


comparisons = st.sampled_from(UNITS).flatmap(
    lambda unit: st.tuples(amounts(unit), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), amounts(unit)).map(
        " ".join
    )
)


def quoted(values) -> str:
    return ", ".join(f"'{value}'" for value in values)


def some_of(name: str):
    return st.lists(st.sampled_from(FACTS[name].values), min_size=1, max_size=3, unique=True).map(
        lambda values: (name, quoted(values))
    )


leaves = st.one_of(
    st.sampled_from(NAMES["bool"]),
    st.sampled_from(sorted(FACTS)).map(lambda name: f"known({name})"),
    comparisons,
    st.tuples(st.sampled_from(["in", "not in"]), st.sampled_from(TEXTS).flatmap(some_of)).map(
        lambda t: f"{t[1][0]} {t[0]} {{{t[1][1]}}}"
    ),
    st.sampled_from(SETS).flatmap(some_of).map(lambda t: f"disjoint({t[0]}, {{{t[1]}}})"),
    st.sampled_from(SETS).flatmap(some_of).map(lambda t: f"has({t[0]}, {t[1].split(',')[0]})"),
)
conditions = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | inner.map(lambda text: f"(not {text})")
    ),
    max_leaves=6,
)


def forms(name: str) -> list[str]:
    phrase = PHRASES[name]
    places = (phrase.being, phrase.not_being, phrase.having, phrase.lacking)
    return [phrase.name, phrase.if_true, phrase.if_false, *(place.split("{}")[0] for place in places)]


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_every_condition_has_words_and_names_all_its_facts(condition):
    expr = parse(condition, FACTS)
    words = in_words(expr, PHRASES)
    assert "{}" not in words
    assert words.count("(") == words.count(")")
    for name in expr.names:
        assert any(form in words for form in forms(name)), name


def combinations(clause: Clause) -> set[frozenset[str]]:
    """Write nested statements as alternatives, each a set of statements that hold together."""
    if not clause.join:
        return {frozenset({clause.text})}
    choices = [combinations(part) for part in clause.parts]
    if clause.join == "any":
        return set().union(*choices)
    joined: set[frozenset[str]] = {frozenset()}
    for choice in choices:
        joined = {one | other for one in joined for other in choice}
    return joined


def alternatives(expr: Expr, positive: bool = True) -> set[frozenset[str]]:
    """Write a condition as alternatives by the laws of logic, each part in words by itself."""
    if expr.kind == "not":
        return alternatives(expr.operands[0], not positive)
    if expr.kind not in ("and", "or"):
        return {frozenset({told(expr.text if positive else f"not ({expr.text})")})}
    choices = [alternatives(part, positive) for part in expr.operands]
    if (expr.kind == "or") is positive:
        return set().union(*choices)
    return {frozenset().union(*parts) for parts in product(*choices)}


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_the_statements_combine_like_the_condition(condition):
    expr = parse(condition, FACTS)
    assert combinations(clauses(expr, PHRASES)) == alternatives(expr)


@settings(max_examples=100, deadline=None)
@given(conditions)
def test_the_opposite_reads_differently_and_twice_the_opposite_reads_the_same(condition):
    assert told(f"not ({condition})") != told(condition)
    assert told(f"not (not ({condition}))") == told(condition)


def test_points_are_what_must_all_hold():
    text = "dev.os and (dev.is_host or plan.quantized) and not has(plan.techniques, 'qat')"
    assert points(parse(text, FACTS), PHRASES) == (
        "the device runs an operating system",
        "either the target is this machine or the plan stores weights in 8 bits or fewer",
        "the plan does not use quantization-aware training",
    )
    assert points(parse("dev.os or dev.is_host", FACTS), PHRASES) == (told("dev.os or dev.is_host"),)


def test_every_fact_has_its_own_words():
    names = [phrase.name for phrase in PHRASES.values()]
    assert len(set(names)) == len(names)
    entries = read_mapping(data_dir("knowledge") / "phrases.yaml")
    assert set(entries) == set(FACTS), "knowledge/phrases.yaml and knowledge/facts.yaml name different facts"
    for name, entry in entries.items():
        strange = set(entry.get("values", {})) - set(FACTS[name].values)
        assert not strange, f"{name} never has the value {strange}"


def test_every_shipped_condition_has_words_without_names_of_facts():
    for entry in load_rules():
        for expr in filter(None, (entry.when, entry.demand)):
            assert not [name for name in FACTS if name in in_words(expr, PHRASES)]


def test_a_fact_without_an_entry_speaks_by_its_meaning(words, tmp_path):
    path = tmp_path / "phrases.yaml"
    path.write_text("m.flag: {if_true: the flag flies}\n")
    phrases = load_phrases(words, path)
    said = in_words(parse("m.flag and m.a > 2 and not m.other and has(m.tags, 'int8')", words), phrases)
    assert said == (
        "the flag flies, m.a (a number) is above 2, m.other (another flag) does not hold, "
        "and m.tags (a closed set) holds int8"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("m.a: words\n", "an entry is a mapping"),
        ("m.a: {ass: words}\n", "unknown field 'ass'"),
        ("m.tags: {has: the tags}\n", "has has no place for values"),
        ("m.kind: {values: [cpu]}\n", "values is a mapping"),
    ],
)
def test_a_malformed_entry_is_refused(words, tmp_path, text, complaint):
    path = tmp_path / "phrases.yaml"
    path.write_text(text)
    with pytest.raises(KnowledgeError, match=complaint):
        load_phrases(words, path)
