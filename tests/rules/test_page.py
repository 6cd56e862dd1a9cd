"""The page on adding a rule works as it is written: its files are extracted, loaded, checked and tested."""

import re

import pytest

from advisor.resources import data_dir
from advisor.rules import evaluate, load_rules
from advisor.rules.linting import lint
from advisor.rules.load import RuleBase
from advisor.rules.sources import rules_in_use
from advisor.rules.trials import try_rules

PAGE = data_dir("knowledge").parent / "docs" / "adding-a-rule.md"
_FILE = re.compile(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    for name, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "rules"


@pytest.fixture
def base(folder) -> RuleBase:
    return rules_in_use([folder])


def test_the_rule_of_the_page_passes_its_cases(base, folder):
    found = try_rules(base, (folder,))
    assert (found.rules, found.passed("fires"), found.passed("silent"), found.passed("case")) == (1, 1, 1, 2)
    assert found.failed == ()


def test_the_checks_find_what_the_page_says_and_accept_it(base):
    found = [problem for problem in lint(base) if "XA-01" in (problem.rule, *problem.others)]
    assert [(problem.code, bool(problem.accepted)) for problem in found] == [("reference", True)]
    assert "our-camera" in found[0].message


def test_the_rule_of_the_page_rejects_with_its_sentence(base):
    facts = {"model.task": "depth", "plan.full_int8": True, "dev.id": "raspberry-pi-4b"}
    (finding,) = (f for f in evaluate(base, facts, "candidate") if f.rule == "XA-01")
    assert finding.rejects
    assert finding.reason == "On raspberry-pi-4b our depth maps show steps of 4 cm in int8."


def test_every_rule_and_command_that_the_page_names_exists():
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-W][A-Z]-\d{2}[a-z]?\b", text))
    assert named
    assert named <= set(load_rules().compiled)
    assert set(re.findall(r"advisor rules (\w+)", text)) == {"new", "test", "check", "coverage"}
