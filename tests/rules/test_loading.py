"""Loading finds every mistake with file and line, and returns nothing half-read."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules.load import load_rules
from advisor.rules.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    ("changes", "what", "field"),
    [
        ({"when": "m.aa > 1"}, "unknown fact 'm.aa'", "when"),
        ({"when": "m.kind == 'cppu'"}, "never 'cppu'", "when"),
        ({"kind": "require", "demand": "m.a > 'x'"}, "cannot be compared", "demand"),
        ({"reason": "it is {m.aa}"}, "unknown fact 'm.aa' in braces", "reason"),
        ({"reason": "it is {m.a"}, "brace", "reason"),
        ({"reason": "it is {m.kind:%}"}, "does not fit", "reason"),
        ({"kind": "require"}, "require without demand", "kind"),
        ({"kind": "procedure"}, "procedure without step", "kind"),
        ({"kind": "estimate"}, "estimate without metric", "kind"),
        ({"demand": "m.flag"}, "belongs to require", "demand"),
        ({"step": "do it"}, "belongs to procedure", "step"),
        ({"kind": "estimate", "metric": "latency_ms", "low": 2.0, "high": 1.0}, "above high", "low"),
        ({"kind": "vetoo"}, "kind: Input should be", "kind"),
        ({"origin": "S4"}, "origin", "origin"),
        ({"sources": []}, "sources", "sources"),
    ],
)
def test_a_mistake_in_a_rule_is_reported_with_its_line(writer, changes, what, field):
    path = writer.rule(**changes)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith(f"{field}:"))
    with pytest.raises(KnowledgeError) as caught:
        writer.load()
    assert what in caught.value.what
    assert f"hardware/HW-01-a-rule.yaml:{line}" in caught.value.where


def test_an_unknown_field_offers_the_nearest_one(writer):
    writer.rule(guard="something")
    with pytest.raises(KnowledgeError) as caught:
        writer.load()
    assert "guards" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("id: HW-01\nid: HW-02\n", "appears twice"),
        ("id: [unclosed\n", "not readable as YAML"),
        ("- a\n- b\n", "not a mapping"),
        ("", "not a mapping"),
        ("1: a\n", "not a mapping"),
        ("a: !!python/object/apply:os.system ['true']\n", "not readable as YAML"),
        ("? [a, b]\n: 1\n", ""),
    ],
)
def test_broken_yaml_is_an_error_and_never_runs_code(writer, text, what):
    writer.text("HW-09-broken.yaml", text)
    with pytest.raises(KnowledgeError) as caught:
        writer.load()
    assert what in caught.value.what
    assert "HW-09-broken.yaml" in caught.value.where


def test_bytes_that_are_no_text_are_an_error(writer):
    writer.text("HW-09-broken.yaml", "").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KnowledgeError, match="UTF-8"):
        writer.load()


def test_the_same_id_twice_names_both_files(writer, tmp_path):
    writer.rule()
    extra = tmp_path / "mine" / "hardware"
    extra.mkdir(parents=True)
    (extra / "HW-01-other.yaml").write_text((writer.root / "hardware" / "HW-01-a-rule.yaml").read_text())
    with pytest.raises(KnowledgeError) as caught:
        writer.load(tmp_path / "mine")
    assert "HW-01-a-rule.yaml" in caught.value.where
    assert "HW-01-other.yaml" in caught.value.where


def test_rules_of_further_folders_are_added_and_change_the_digest(writer, tmp_path, words):
    writer.rule()
    shipped = writer.load()
    other = type(writer)(tmp_path / "mine", words)
    other.rule("ZZ-01", group="mine")
    both = writer.load(tmp_path / "mine")
    assert [rule.id for rule in both.rules] == ["HW-01", "ZZ-01"]
    assert both.digest != shipped.digest


def test_the_digest_follows_the_text_of_the_rules_and_nothing_else(writer):
    writer.rule()
    first, again = writer.load().digest, writer.load().digest
    writer.rule(reason="another sentence")
    assert first == again
    assert writer.load().digest != first


def test_a_missing_folder_is_an_error(writer, tmp_path):
    with pytest.raises(KnowledgeError, match="no folder"):
        writer.load(tmp_path / "absent")


def test_an_unknown_rule_offers_the_nearest_id(writer):
    writer.rule()
    with pytest.raises(KnowledgeError) as caught:
        writer.load().get("HW-1")
    assert "HW-01" in caught.value.remedy


@pytest.mark.parametrize(
    "entry",
    [
        "{type: number, about: x}",
        "{type: numbr, about: x, from: derived}",
        "{type: number, about: x, from: guessed}",
        "{type: number, about: any layer, group norm, from: derived}",
    ],
)
def test_a_malformed_fact_is_an_error(tmp_path, entry):
    path = tmp_path / "facts.yaml"
    path.write_text(f"m.a: {entry}\n")
    with pytest.raises(KnowledgeError, match=r"m\.a"):
        load_vocabulary(path)


def test_the_shipped_rules_load_with_version_and_digest():
    base = load_rules()
    assert base.version.count(".") == 2
    assert len(base.digest) == 12
    assert {"HW-05a", "HW-04a", "RT-18a", "MC-01a"} <= set(base.compiled)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("m.aa", 1, "m.a"),
        ("m.a", True, "not a number"),
        ("m.a", "1", "not a number"),
        ("m.share", 1.5, "outside 0 to 1"),
        ("m.flag", 1, "not true or false"),
        ("m.kind", "cppu", "cpu"),
        ("m.kind", 124, "quote it"),
        ("m.tags", "int8", "write a list"),
        ("m.tags", ["int9"], "int8"),
    ],
)
def test_facts_of_the_wrong_kind_are_listed(words, name, value, complaint):
    assert complaint in words.complaints({name: value})[0]


def test_missing_facts_are_no_complaint(words):
    assert words.complaints({"m.a": None, "m.kind": "cpu", "m.tags": frozenset({"int8"})}) == ()
