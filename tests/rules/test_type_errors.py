"""Every mistake in an expression is found when it is read, with its column and the nearest right name."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules.parse import MAX_LENGTH, parse


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("m.aa > 1", "unknown fact 'm.aa'", "m.a"),
        ("m.knd == 'cpu'", "unknown fact", "m.kind"),
        ("m.kind == 'cppu'", "never 'cppu'", "cpu"),
        ("'cppu' == m.kind", "never 'cppu'", "cpu"),
        ("m.kind in {'cpu', 'gpuu'}", "never 'gpuu'", "gpu"),
        ("'int9' in m.tags", "never 'int9'", "int8"),
        ("has(m.tags, 'int9')", "never 'int9'", "int8"),
        ("disjoint(m.tags, {'int9'})", "never 'int9'", "int8"),
        ("m.kind == 1", "cannot be compared", ""),
        ("m.a == 'x'", "cannot be compared", ""),
        ("m.tags == 'int8'", "cannot be compared", "in"),
        ("m.tags == m.more", "does not compare sets", "disjoint"),
        ("m.kind < 'gpu'", "does not compare strings", ""),
        ("m.flag > m.other", "does not compare bools", ""),
        ("m.a + m.kind > 1", "where a number is needed", ""),
        ("m.a and m.flag", "where a bool is needed", ""),
        ("not m.a", "where a bool is needed", ""),
        ("m.a", "where a bool is needed", ""),
        ("m.tags", "where a bool is needed", ""),
        ("m.a in m.tags", "where a string is needed", ""),
        ("m.kind in m.free", "not a set", "=="),
        ("m.kind in {1, 2}", "where a number is needed", ""),
        ("m.kind in {'cpu', 1}", "all of one kind", ""),
        ("m.kind in {'cpu', 'cpu'}", "twice", ""),
        ("m.kind in {m.free}", "a set holds", ""),
        ("has('int8', m.tags)", "where a set is needed", ""),
        ("hass(m.tags, 'int8')", "unknown function", "has"),
        ("has(m.tags)", "takes 2 arguments", ""),
        ("max(m.a) > 1", "takes 2 or more", ""),
        ("min(m.a, 1, key=2) > 1", "takes 2 or more", ""),
        ("known(m.a + 1)", "name of a fact", ""),
        ("known(m.aa)", "unknown fact", "m.a"),
        ("disjoint(m.tags, {1})", "sets of texts", ""),
        ("m.a is 1", "'is' is not part", "=="),
        ("", "empty", ""),
        ("   ", "empty", ""),
        ("m.a >", "not an expression", ""),
        ("m.a = 1", "not an expression", ""),
        ("m.a > 1; m.b > 1", "not an expression", ""),
    ],
)
def test_a_mistake_is_named_with_its_remedy(words, text, what, remedy):
    with pytest.raises(KnowledgeError) as caught:
        parse(text, words, "hardware/HW-01-a.yaml:7, when")
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "HW-01-a.yaml:7, when, column" in caught.value.where


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "m.a.__class__ == 1",
        "m.tags.add('x')",
        "[x for x in m.tags] == 1",
        "(lambda: True)()",
        "m.tags[0] == 'x'",
        "f'{m.a}' == 'x'",
        "m.a if m.flag else m.b",
        "m.a ** 9 > 1",
        "m.a // 2 > 1",
        "m.a % 2 == 1",
        "~m.a > 1",
        "+m.a > 1",
        "-m.a > 1",
        "m.flag & m.other",
        "(x := 1) == 1",
        "{'a': 1} == m.tags",
        "(m.a, 1) == (1, 1)",
        "m.a == 1j",
        "m.free == b'x'",
        "m.a == None",
        "m.a == ...",
        "m.a > 1e999",
        "max(*m.tags) > 1",
        "open == 1",
        "m == 1",
    ],
)
def test_what_is_not_in_the_language_is_refused(words, text):
    with pytest.raises(KnowledgeError):
        parse(text, words)


def test_the_column_points_at_the_mistake(words):
    with pytest.raises(KnowledgeError) as caught:
        parse("m.a > 1 and m.knd == 'cpu'", words, "f:1, when")
    assert "column 13 of" in caught.value.where


@pytest.mark.parametrize(
    "text",
    [
        "(" * 300 + "m.a" + ")" * 300 + " > 1",
        " and ".join(["m.flag"] * 500),
        "not " * 200 + "m.flag",
        "-" * 300 + "1 > m.a",
        "m.a + (" * 60 + "1" + ")" * 60 + " > 1",
        "m.flag" + " " * 10 + "and m.flag" * (MAX_LENGTH // 5),
    ],
)
def test_long_and_deep_expressions_are_refused(words, text):
    with pytest.raises(KnowledgeError):
        parse(text, words)


def test_line_breaks_and_folding_do_not_matter(words):
    assert parse("m.a > 1\n   and m.flag", words).run({"m.a": 2, "m.flag": True}) is True
