"""Every rule that ships: its own cases, and the checks of all of them together."""

from pathlib import Path

import pytest

from advisor.resources import data_dir
from advisor.rules import catalogue
from advisor.rules.cases import check_rule
from advisor.rules.catalogue import render
from advisor.rules.linting import lint
from advisor.rules.load import collect, rule_files
from advisor.rules.trials import try_rules

BASE, BROKEN = collect()
FILES = rule_files(data_dir("knowledge") / "rules")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_rule_loads_and_its_cases_hold(path: Path):
    entries = [entry for entry in BASE if entry.path == path]
    assert entries, [str(problem) for problem in BROKEN if path.name in problem.where]
    assert check_rule(BASE, entries[0]) == ()


def test_the_checks_find_nothing_that_is_not_accepted_with_a_reason():
    assert [str(problem) for problem in lint(BASE) if problem.severity != "notice"] == []


def test_the_cases_fire_and_silence_every_rule():
    found = try_rules(BASE)
    assert found.failed == ()
    assert found.passed("fires") == found.passed("silent") == found.rules == len(BASE)
    whole = {trial.subject[:4] for trial in found.trials if trial.side == "case"}
    assert {f"C-{number:02}" for number in range(1, 16)} < whole  # each conflict of sources, and cases of several rules


def test_the_catalogue_has_a_section_for_every_rule_and_is_the_same_each_time():
    page = render(BASE)
    assert page == render(BASE)
    for rule in BASE.rules:
        assert f"### {rule.id} {rule.title}\n" in page
        assert all(source.ref in page for source in rule.sources)


def test_the_order_of_files_does_not_change_the_catalogue():
    turned = BASE.of(reversed([*BASE]))
    assert render(turned) == render(BASE)


def test_the_command_writes_the_page_it_renders(tmp_path, capsys):
    page = tmp_path / "docs" / "rules.md"
    assert catalogue.main([str(page)]) == 0
    assert page.read_text() == render(BASE)
    assert sorted(path.name for path in page.parent.iterdir()) == ["rules.md"]
    assert f"{len(BASE)} rules" in capsys.readouterr().out
