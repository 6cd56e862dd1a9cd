"""A trace shows the values, says what is missing, and what would turn each comparison that stands in the way."""

import pytest

from advisor.rules.parse import parse
from advisor.rules.traces import trace
from advisor.schema import Truth


def test_facts_are_shown_with_their_values(words):
    node = trace(parse("m.share > 0.05 and m.kind == 'cpu'", words), {"m.share": 0.0712, "m.kind": "cpu"}, words)
    assert node.shown == "m.share (0.0712) > 0.05 and m.kind (cpu) == 'cpu'"
    assert node.children[0].shown == "m.share (0.0712) > 0.05"
    assert node.truth is Truth.TRUE


def test_names_inside_quotes_are_left_alone(words):
    node = trace(parse("m.free == 'm.a'", words), {"m.free": "x", "m.a": 3}, words)
    assert node.shown == "m.free (x) == 'm.a'"


@pytest.mark.parametrize(
    ("text", "facts", "wanted", "turn"),
    [
        ("m.a > 5", {"m.a": 3}, True, "> 5"),
        ("m.a > 5", {"m.a": 7}, False, "<= 5"),
        ("m.a > 5", {"m.a": 7}, True, ""),
        ("5 < m.a", {"m.a": 7}, False, "<= 5"),
        ("5 < m.a", {"m.a": 3}, True, "> 5"),
        ("m.a >= m.share * 2", {"m.a": 7, "m.share": 0.5}, False, "< 1"),
        ("m.b + 50_000 > 1_048_576", {"m.b": 2e6}, False, "<= 1.05 MB"),
        ("m.a == 5", {"m.a": 5}, False, "!= 5"),
        ("m.kind == 'cpu'", {"m.kind": "gpu"}, True, "== 'cpu'"),
        ("m.kind in {'gpu', 'cpu'}", {"m.kind": "npu"}, True, "in {'cpu', 'gpu'}"),
        ("m.kind in {'gpu', 'cpu'}", {"m.kind": "cpu"}, False, "not in {'cpu', 'gpu'}"),
        ("m.kind not in {'cpu'}", {"m.kind": "npu"}, False, "in {'cpu'}"),
        ("'int8' not in m.tags", {"m.tags": ["fp32"]}, False, "m.tags holds 'int8'"),
        ("'int8' in m.tags", {"m.tags": ["int8"]}, False, "m.tags lacks 'int8'"),
        ("has(m.tags, 'int8')", {"m.tags": []}, True, "m.tags holds 'int8'"),
        ("disjoint(m.tags, {'int8'})", {"m.tags": ["int8"]}, True, "no common element"),
        ("m.flag", {"m.flag": True}, False, "false"),
        ("m.flag", {"m.flag": False}, True, "true"),
    ],
)
def test_a_comparison_that_stands_in_the_way_says_what_would_turn_it(words, text, facts, wanted, turn):
    assert trace(parse(text, words), facts, words, wanted).passes_if == turn


def test_not_turns_what_is_wanted(words):
    node = trace(parse("not (m.a > 5)", words), {"m.a": 7}, words, wanted=True)
    assert node.truth is Truth.FALSE
    assert node.children[0].passes_if == "<= 5"


def test_an_unknown_condition_names_what_it_needs_and_only_that(words):
    node = trace(
        parse("m.a > 1 and (m.flag or m.share > 0.5) and m.kind == 'cpu'", words), {"m.a": 2, "m.flag": True}, words
    )
    assert node.truth is Truth.UNKNOWN
    assert node.needs == ("m.kind",)


def test_a_decided_condition_needs_nothing_more(words):
    node = trace(parse("m.a > 1 and m.flag", words), {"m.a": 0}, words)
    assert node.truth is Truth.FALSE
    assert node.needs == ()
    assert node.children[1].needs == ("m.flag",)


def test_the_truth_of_every_node_follows_from_its_children(words):
    text = "m.a > 1 and (m.flag or not m.other) and 0 < m.share <= 0.5"
    for facts in ({"m.a": 2}, {"m.a": 2, "m.flag": True, "m.share": 0.2}, {"m.other": False, "m.share": 0.9}, {}):
        node = trace(parse(text, words), facts, words)
        truths = [child.truth for child in node.children]
        expected = Truth.FALSE if Truth.FALSE in truths else Truth.UNKNOWN if Truth.UNKNOWN in truths else Truth.TRUE
        assert node.truth is expected
