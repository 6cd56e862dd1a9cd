"""The checks on small rule bases, each with one fault."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules.linting import CODES, code_of, lint
from advisor.rules.parse import parse
from advisor.rules.references import known_names, strangers
from advisor.rules.vocabulary import load_vocabulary


def codes(writer):
    return sorted({f"{problem.code}" for problem in lint(writer.collect())})


def test_a_sound_rule_has_no_problem(writer):
    writer.rule()
    assert codes(writer) == []


FAULTS = {
    "file-name": {"file": "HW-02-other.yaml"},
    "unreachable": {"when": "m.a > 2 and m.a < 1", "cases": {"fires": {"m.a": 2}, "silent": {"m.a": 0}}},
    "always": {"when": "m.flag or not m.flag", "cases": {"fires": {"m.flag": True}, "silent": {"m.flag": False}}},
    "overrides": {"overrides": ["HW-01"]},
    "reserved": {"id": "XA-01"},
    "range": {"when": "m.share > 50", "cases": {"fires": {"m.share": 1}, "silent": {"m.share": 0}}},
    "recalled": {"reason": "it is 3 times faster", "sources": [{"ref": "memory", "seen": False}]},
    "survey": {"reason": "The survey says so"},
    "rationale": {"why_sure": ""},
    "source": {"sources": [{"ref": " "}]},
    "metric": {"kind": "estimate", "metric": "latency", "low": 1.0, "high": 2.0},
    "case-fires": {"cases": {"fires": {"m.a": 0}, "silent": {"m.a": 0}}},
    "case-silent": {"cases": {"fires": {"m.a": 2}, "silent": {"m.a": 3}}},
    "scope": {"scope": "case", "when": "plan.x > 1", "cases": {"fires": {"plan.x": 2}, "silent": {"plan.x": 0}}},
}


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_a_fault_is_found(writer, code):
    writer.rule(**FAULTS[code])
    assert code in codes(writer)


def test_a_rule_in_the_wrong_folder_is_found(writer):
    path = writer.rule()
    (writer.root / "runtime").mkdir()
    path.rename(writer.root / "runtime" / path.name)
    assert codes(writer) == ["group"]


def test_a_prefix_in_two_groups_is_found(writer):
    writer.rule("HW-01")
    writer.rule("HW-02", group="runtime", when="m.flag", cases={"fires": {"m.flag": True}, "silent": {"m.flag": False}})
    assert codes(writer) == ["prefix"]


def test_every_finding_has_a_code_that_explains_it():
    assert all(code.meaning and code.remedy for code in CODES.values())
    assert code_of("overlap").severity == "warning"
    with pytest.raises(KnowledgeError, match="Did you mean overlap"):
        code_of("overlp")


def test_a_circle_of_overrides_is_found(writer):
    flag = {"fires": {"m.flag": True}, "silent": {"m.flag": False}}
    writer.rule("HW-01", overrides=["HW-02"])
    writer.rule("HW-02", when="m.flag", cases=flag, overrides=["HW-01"])
    assert codes(writer) == ["overrides"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("m.a > 1 and m.flag", "m.flag and m.a > 1"),
        ("m.a > 1 and m.flag", "m.flag and 1 < m.a"),
        ("not (m.a <= 1 or not m.flag)", "m.a > 1 and m.flag"),
        ("m.flag and 'int8' in m.tags", "has(m.tags, 'int8') and m.flag"),
        ("m.flag and m.kind not in {'cpu', 'gpu'}", "m.flag and not (m.kind in {'gpu', 'cpu'})"),
    ],
)
def test_equal_conditions_are_found_however_they_are_written(writer, first, second):
    cases = {
        "fires": {"m.a": 2, "m.flag": True, "m.tags": ["int8"], "m.kind": "npu"},
        "silent": {"m.a": 0, "m.flag": False},
    }
    writer.rule("HW-01", when=first, cases=cases)
    writer.rule("HW-02", when=second, cases=cases)
    assert codes(writer) == ["duplicate"]
    writer.rule("HW-02", when=second, cases=cases, kind="prefer")
    assert codes(writer) == ["contradiction"]
    writer.rule("HW-02", when=second, cases=cases, kind="prefer", overrides=["HW-01"])
    assert codes(writer) == []


@pytest.mark.parametrize(
    "when",
    [
        "m.share > 1",
        "m.share < 0",
        "m.kind == 'cpu' and m.kind == 'gpu'",
        "m.kind not in {'cpu', 'gpu', 'npu'}",
        "m.flag and not m.flag",
        "m.a == 3 and m.a > 5",
        "(m.a > 2 or m.flag) and m.a < 1 and not m.flag",
        "'int8' in m.tags and not has(m.tags, 'int8')",
        "1 > 2",
        "m.a >= 1 and m.a < 1",
    ],
)
def test_a_condition_that_can_never_hold_is_found(writer, when):
    writer.rule(when=when)
    assert "unreachable" in codes(writer)


@pytest.mark.parametrize(
    "when",
    [
        "m.share >= 1",
        "m.share <= 0",
        "m.a >= 1 and m.a <= 1",
        "m.kind != 'cpu' and m.kind != 'gpu'",
        "m.a > 5 or m.a < 1",
    ],
)
def test_a_condition_that_can_hold_is_not_called_unreachable(writer, when):
    writer.rule(when=when)
    assert "unreachable" not in codes(writer)


@pytest.mark.parametrize("case", [{}, {"m.aa": 1}, {"m.a": "two"}, {"m.kind": "cppu"}])
def test_a_case_with_wrong_facts_is_found(writer, case):
    writer.rule(cases={"fires": case, "silent": {"m.a": 0}})
    assert codes(writer) == ["case-fires"]


def test_a_case_that_is_silent_only_for_want_of_facts_is_found(writer):
    writer.rule(cases={"fires": {"m.a": 2}, "silent": {"m.b": 2}})
    assert codes(writer) == ["case-silent"]


def test_the_cases_of_a_require_are_about_its_demand(writer):
    fires, holds = {"m.a": 2, "m.flag": False}, {"m.a": 2, "m.flag": True}
    writer.rule(kind="require", demand="m.flag", cases={"fires": fires, "silent": holds})
    assert codes(writer) == []
    writer.rule(kind="require", demand="m.flag", cases={"fires": holds, "silent": holds})
    assert codes(writer) == ["case-fires"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": "Unlike HW-99."}, "a text mentions HW-99, which is no rule"),
        ({"wrong_when": "HW-02 holds."}, ""),
        ({"wrong_when": "HW-02a or HW-02 holds, on ZZ-99."}, ""),
        ({"sources": [{"ref": "knowledge/evidence/nothing.csv"}]}, "knowledge/evidence/nothing.csv, which does not"),
        ({"sources": [{"ref": "row 3 of knowledge/facts.yaml."}]}, ""),
    ],
)
def test_rules_and_files_that_texts_name_exist(writer, changes, message):
    writer.rule(**changes)
    writer.rule("HW-02a", when="m.flag", cases={"fires": {"m.flag": True}, "silent": {"m.flag": False}})
    found = [problem.message for problem in lint(writer.collect())]
    assert len(found) == bool(message)
    assert not message or message in found[0]


def test_a_recalled_source_without_a_figure_is_fine(writer):
    writer.rule(reason="int8 and fp16 on cc 5.3, 2:4 too", sources=[{"ref": "memory", "seen": False}])
    assert codes(writer) == []


def test_names_that_no_profile_knows_are_found(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "board-1.yaml").write_text("name: x\n")
    (tmp_path / "_vocabulary.yaml").write_text("runtimes: {tensorrt: x, ncnn: y}\n")
    facts = load_vocabulary()
    known = known_names(tmp_path)
    expr = parse("rt.name in {'tensorr', 'ncnn'} and (dev.id == 'board-2' or not ('board-1' == dev.id))", facts)
    assert list(strangers(expr, known)) == [
        "rt.name is 'tensorr' in no profile. Did you mean tensorrt?",
        "dev.id is 'board-2' in no profile. Did you mean board-1?",
    ]
