"""Every rule of the catalogue of candidate rules is held somewhere, or it is said why not."""

import re
from pathlib import Path

import pytest

from advisor.resources import data_dir
from advisor.rules.load import load_rules
from advisor.rules.yaml_reader import read_mapping

# Rules per group of the catalogue; their numbers run from 01 without gaps.
GROUPS = {
    "HW": 22, "RT": 13, "QS": 16, "PQ": 11, "WO": 5, "MP": 6, "CA": 7, "PR": 20, "NM": 4, "AL": 3, "KD": 10,
    "LR": 7, "TF": 8, "DT": 7, "RB": 8, "MC": 6, "OR": 6, "NO": 8, "DA": 5, "VM": 10, "DP": 14, "CX": 4,
}  # fmt: skip
CANDIDATES = [f"{group}-{number:02}" for group, count in GROUPS.items() for number in range(1, count + 1)]
COVERAGE = read_mapping(data_dir("knowledge") / "coverage.yaml")
RULES = {rule.id: rule for rule in load_rules().rules}
FIGURE = re.compile(r"\d\s?(?:%|(?:x|times|points?|pp|[kMG]?B|[kM]iB|ms|fps|W)\b)")
ROOT = Path(__file__).resolve().parents[2]


def test_the_list_names_every_candidate_in_order_and_nothing_else():
    assert len(CANDIDATES) == 200
    assert list(COVERAGE) == CANDIDATES


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_a_candidate_is_held_by_rules_that_stand_or_by_the_program_or_says_why_not(candidate):
    entry = COVERAGE[candidate]
    assert entry
    assert set(entry) <= {"rules", "engine", "left_out"}
    gone = [rule for rule in entry.get("rules", ()) if rule not in RULES or RULES[rule].deprecated]
    assert gone == []
    assert all(len(entry[field]) > 20 for field in ("engine", "left_out") if field in entry)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_every_rule_with_the_number_of_a_candidate_is_named_there(candidate):
    own = {rule.id for rule in RULES.values() if rule.id[:5] == candidate and not rule.deprecated}
    assert own <= set(COVERAGE[candidate].get("rules", ()))


@pytest.mark.parametrize("candidate", [c for c in CANDIDATES if "engine" in COVERAGE[c]])
def test_the_places_in_the_program_exist(candidate):
    words = COVERAGE[candidate]["engine"].replace(":", " ").replace(",", " ").replace(";", " ").split()
    places = [word.rstrip(".") for word in words if word.startswith(("advisor/", "knowledge/"))]
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_base_holds_more_than_the_promised_number_of_executable_rules():
    assert sum(not rule.deprecated for rule in RULES.values()) >= 170


def test_a_rule_that_only_recalls_its_sources_states_no_figure_of_theirs():
    recalled = [rule for rule in RULES.values() if not any(source.seen for source in rule.sources)]
    assert recalled
    told = {rule.id: " ".join((rule.title, rule.reason, rule.step)) for rule in recalled}
    assert {rule: found[0] for rule, text in told.items() if (found := FIGURE.search(text))} == {}
    assert [rule.id for rule in recalled if rule.low is not None or rule.high is not None] == []


@pytest.mark.parametrize(("text", "figure"), [("costs 3 points", True), ("1x1 kernels", False), ("8-bit", False)])
def test_what_counts_as_a_figure(text, figure):
    assert bool(FIGURE.search(text)) is figure
