"""Every rule that ships: its own cases, and the linter on all of them together."""

from pathlib import Path

import pytest

from advisor.resources import data_dir
from advisor.rules import catalogue
from advisor.rules.cases import check_rule
from advisor.rules.catalogue import render
from advisor.rules.lint import lint, main
from advisor.rules.load import RuleBase, collect

BASE, BROKEN = collect()
FILES = sorted((data_dir("knowledge") / "rules").rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_rule_loads_and_its_cases_hold(path: Path):
    entries = [entry for entry in BASE if entry.path == path]
    assert entries, [str(problem) for problem in BROKEN if path.name in problem.where]
    assert check_rule(BASE, entries[0]) == ()


def test_the_linter_finds_no_error():
    assert [str(problem) for problem in lint(BASE) if problem.severity == "error"] == []


def test_the_catalogue_has_a_section_for_every_rule_and_is_the_same_each_time():
    page = render(BASE)
    assert page == render(BASE)
    for rule in BASE.rules:
        assert f"### {rule.id} {rule.title}\n" in page
        assert all(source.ref in page for source in rule.sources)


def test_the_order_of_files_does_not_change_the_catalogue():
    turned = RuleBase(dict(reversed(BASE.compiled.items())), BASE.vocabulary, BASE.version, BASE.digest)
    assert render(turned) == render(BASE)


def test_the_command_writes_the_page_it_renders(tmp_path, capsys):
    page = tmp_path / "docs" / "rules.md"
    assert catalogue.main([str(page)]) == 0
    assert page.read_text() == render(BASE)
    assert sorted(path.name for path in page.parent.iterdir()) == ["rules.md"]
    assert f"{len(BASE)} rules" in capsys.readouterr().out


def test_the_linter_command_fails_on_a_broken_rule_of_a_user(tmp_path, capsys):
    (tmp_path / "ZZ-01-mine.yaml").write_text("id: ZZ-01\nwhen: modl.macs > 1\n")
    assert main([str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "ZZ-01-mine.yaml:1: error [load]" in printed
    assert f"{len(BASE)} rules, 1 errors" in printed
