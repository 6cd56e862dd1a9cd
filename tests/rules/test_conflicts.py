"""Conflicts of sources: each resolution is what the engine does, and the file is refused where it is wrong."""

import pytest
import yaml

from advisor.errors import KnowledgeError
from advisor.resources import data_dir
from advisor.rules import load_rules
from advisor.rules.conflicts import broken_cases, deeds, load_conflicts

BASE = load_rules()
CONFLICTS = load_conflicts(BASE)
RECORD = yaml.safe_load((data_dir("knowledge") / "conflicts.yaml").read_text())


def test_all_fifteen_conflicts_are_told():
    assert [conflict.id for conflict in CONFLICTS.conflicts] == [f"C-{number:02}" for number in range(1, 16)]


@pytest.mark.parametrize("conflict", CONFLICTS.conflicts, ids=lambda conflict: conflict.id)
def test_the_resolution_is_what_the_engine_does(conflict):
    assert list(broken_cases(BASE, conflict)) == []


@pytest.mark.parametrize("conflict", CONFLICTS.conflicts, ids=lambda conflict: conflict.id)
def test_the_cases_show_a_rule_that_speaks_in_one_and_yields_in_another(conflict):
    done = {(rule, deed in ("fires", "rejects")) for case in conflict.cases for rule, deed in case.then.items()}
    assert any((rule, True) in done and (rule, False) in done for rule in conflict.rules)


@pytest.mark.parametrize("conflict", CONFLICTS.conflicts, ids=lambda conflict: conflict.id)
def test_a_side_claims_no_more_of_the_survey_than_its_rules(conflict):
    for side in conflict.sides:
        marks = {mark for rule in side.rules for mark in BASE.get(rule).rule.origin.split("+")}
        assert not side.rules or set(side.origin.split("+")) - {"X"} <= marks


def test_a_rule_that_does_something_else_is_reported():
    one = CONFLICTS.conflicts[1]
    case = one.cases[0].model_copy(update={"then": {"PQ-03": "fires", "DA-04": "silent"}})
    told = list(broken_cases(BASE, one.model_copy(update={"cases": (case,)})))
    assert told == [
        "C-02, a few thousand images: PQ-03 is 'set aside', not 'fires'",
        "C-02, a few thousand images: DA-04 is 'unknown', not 'silent'",
    ]


def test_rules_of_both_scopes_are_asked():
    done = deeds(BASE, {"dev.id": "jetson-nano", "rt.name": "tensorrt"})
    assert (done["HW-01"], done["DP-01"], done["DP-02"]) == ("fires", "fires", "silent")


def test_the_conflicts_of_a_rule_are_found():
    assert [conflict.id for conflict in CONFLICTS.of("PQ-02")] == ["C-01", "C-02"]
    assert CONFLICTS.of("HW-01") == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sides": [{"says": "a", "origin": "X", "rules": ["PQ-01"]}] * 2}, "there is no rule 'PQ-01'"),
        ({"sides": []}, "sides"),
        ({"question": None}, "question"),
        ({"answer": "yes"}, "answer"),
        ({"cases": [{"about": "a", "facts": {"model.mac": 1}, "then": {"PQ-03": "silent"}}]}, "unknown fact"),
        ({"cases": [{"about": "a", "facts": {}, "then": {"PQ-03": "wins"}}]}, "then"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path, change, complaint):
    path = tmp_path / "conflicts.yaml"
    path.write_text(yaml.safe_dump(RECORD | {"conflicts": {"C-02": RECORD["conflicts"]["C-02"] | change}}))
    with pytest.raises(KnowledgeError, match=complaint):
        load_conflicts(BASE, path)


def test_a_list_in_place_of_named_conflicts_is_refused(tmp_path):
    path = tmp_path / "conflicts.yaml"
    path.write_text(yaml.safe_dump(RECORD | {"conflicts": list(RECORD["conflicts"].values())}))
    with pytest.raises(KnowledgeError, match="mapping of ids"):
        load_conflicts(BASE, path)
