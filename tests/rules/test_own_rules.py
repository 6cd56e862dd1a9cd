"""Rules of a user's own: where they come from, how they join the shipped ones, and what is wrong with a folder."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from advisor.errors import KnowledgeError
from advisor.rules import evaluate, load_rules, sources
from advisor.rules.linting import lint
from advisor.rules.skeleton import write_skeleton
from advisor.rules.sources import rule_folders, rules_in_use
from advisor.rules.trials import try_rules

from .conftest import RULE

SHIPPED = load_rules()
OWN = RULE | {
    "id": "XA-01", "group": "boards", "when": "dev.id == 'our-board' and plan.full_int8", "reason": "No int8 here.",
    "cases": {"fires": {"dev.id": "our-board", "plan.full_int8": True},
              "silent": {"dev.id": "our-board", "plan.full_int8": False}},
}  # fmt: skip


def write(folder: Path, *records: dict, file: str = "") -> Path:
    for record in records:
        path = folder / record["group"] / (file or f"{record['id']}-a-rule.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(record, sort_keys=False))
    return folder


def test_added_rules_join_the_shipped_ones_and_change_the_digest(tmp_path):
    base = rules_in_use([write(tmp_path / "mine", OWN)])
    assert len(base) == len(SHIPPED) + 1
    assert base.digest != SHIPPED.digest
    (added,) = base.added
    assert (added.folder, added.rules) == (str(tmp_path / "mine"), ("XA-01",))
    write(tmp_path / "mine", OWN | {"certainty": "weak"})
    again = rules_in_use([tmp_path / "mine"])
    assert (again.digest, again.added[0].digest) != (base.digest, added.digest)
    assert SHIPPED.added == ()


def test_a_users_rule_may_set_a_shipped_one_aside(tmp_path):
    facts = {"user.budget": "calibration", "plan.needs": "finetune"}
    own = OWN | {"kind": "prefer", "when": "plan.needs == 'finetune'", "overrides": ["DA-01b"]}
    before = {f.rule: f for f in evaluate(SHIPPED, facts, "candidate")}
    after = {f.rule: f for f in evaluate(rules_in_use([write(tmp_path, own)]), facts, "candidate")}
    assert before["DA-01b"].rejects
    assert not after["DA-01b"].rejects
    assert "Set aside by XA-01" in after["DA-01b"].reason


def test_folders_come_from_the_call_the_environment_and_packages_each_once(tmp_path, monkeypatch):
    named, environment, package = (
        write(tmp_path / name, OWN | {"id": id}) for name, id in (("a", "XA-01"), ("b", "XA-02"), ("c", "XA-03"))
    )
    monkeypatch.setenv("ADVISOR_RULES", f"{environment}:{named}:")
    points = [EntryPoint("acme", "acme.rules:folder", sources.GROUP)]
    monkeypatch.setattr(sources, "entry_points", lambda group: points if group == sources.GROUP else [])
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda: str(package))
    assert rule_folders([named]) == (named, environment, package)
    assert {"XA-01", "XA-02", "XA-03"} <= set(rules_in_use([named]).compiled)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (lambda: 1 / 0, "a package with rules fails: division by zero"),
        (lambda: None, "gives None, not a path"),
        (7, "gives 7, not a path"),
        ("/nowhere/at/all", "does not exist"),
    ],
)
def test_a_package_that_misbehaves_is_named(monkeypatch, given, what):
    points = [EntryPoint("acme", "acme.rules:folder", sources.GROUP)]
    monkeypatch.setattr(sources, "entry_points", lambda group: points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: given)
    with pytest.raises(KnowledgeError, match=what) as caught:
        rule_folders()
    assert caught.value.where == "the entry point acme = acme.rules:folder"


def test_a_folder_that_is_missing_a_file_or_empty_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name, what in (("nowhere", "does not exist"), ("file", "is not a folder"), ("empty", "holds no rule")):
        with pytest.raises(KnowledgeError, match=what):
            rule_folders([tmp_path / name])
    monkeypatch.setenv("ADVISOR_RULES", str(tmp_path / "nowhere"))
    with pytest.raises(KnowledgeError) as caught:
        rules_in_use()
    assert "ADVISOR_RULES" in caught.value.where


@pytest.mark.parametrize(
    ("change", "file", "what", "remedy"),
    [
        ({"id": "HW-05a"}, "", "the rule HW-05a exists twice", "begins with X, Y or Z"),
        ({"overrides": ["HW-05"]}, "", "XA-01 overrides HW-05, which is no rule", "HW-05"),
        ({}, "XA-01-a-rule.yml", "the file would not be read", ".yaml"),
        ({"when": "dev.kid == 'sbc'"}, "", "unknown fact 'dev.kid'", "dev.kind"),
        ({"when": "model.weight_bytes > user.size_mb"}, "", "is in bytes, user.size_mb in MB", "1e6"),
        ({"when": "user.latency_ms > 33ms"}, "", "not an expression", "Numbers have no unit"),
    ],
)
def test_a_mistake_is_an_error_with_its_place_and_remedy(tmp_path, change, file, what, remedy):
    write(tmp_path, OWN | {"id": "XA-09"})
    write(tmp_path, OWN | change, file=file)
    with pytest.raises(KnowledgeError) as caught:
        rules_in_use([tmp_path])
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert f"boards/{file or (OWN | change)['id']}" in caught.value.where


def test_a_folder_need_not_be_sorted_into_groups_and_may_accept_findings(tmp_path):
    flat = write(tmp_path / "boards", OWN | {"group": "."}).joinpath("XA-01-a-rule.yaml")
    flat.write_text(yaml.safe_dump(OWN))
    (tmp_path / "boards" / "lint.yaml").write_text("ours:\n  code: reference\n  about: [XA-01]\n  why: it is ours\n")
    found = [p for p in lint(load_rules(tmp_path / "boards")) if p.rule == "XA-01"]
    assert [(p.code, p.severity, p.accepted) for p in found] == [("reference", "notice", "it is ours")]


CASE = """\
An int8 plan on our board:
  facts: {dev.id: our-board, plan.full_int8: true, user.budget: calibration, plan.needs: finetune}
"""


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [
        ("rejects: [XA-01, DA-01b]", ""),
        ("fires: [XA-01]\n  silent: [DA-01a]", ""),
        ("silent: [XA-01]", "XA-01 should be silent, but rejects"),
        ("fires: [DA-01a]", "DA-01a should be firing, but is silent"),
        ("silent: [HW-05a]", "HW-05a should be silent, but cannot be decided without "),
        ("set_aside: [DA-01b]", "DA-01b should be set aside, but rejects"),
    ],
)
def test_whole_cases_say_what_the_rules_must_do(tmp_path, expected, complaint):
    write(tmp_path, OWN)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "boards.yaml").write_text(CASE + f"  {expected}\n")
    found = try_rules(rules_in_use([tmp_path]), (tmp_path,))
    assert (found.rules, found.passed("fires"), found.passed("silent")) == (1, 1, 1)
    told = [failure for trial in found.failed for failure in trial.failures]
    assert (told[0].startswith(complaint) and len(told) == 1) if complaint else not told


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (CASE + "  fire: [XA-01]\n", "unknown field 'fire'"),
        (CASE, "expects nothing"),
        (CASE + "  fires: [XA-02]\n", "'XA-02' is no rule that is asked"),
        (CASE + "  fires: XA-01\n", "not a list"),
        ("one:\n  facts: [a]\n", "names no facts"),
        ("one:\n  facts: {dev.kid: sbc}\n  fires: [XA-01]\n", "unknown fact 'dev.kid'"),
        ("- a\n", "not a mapping"),
    ],
)
def test_a_mistake_in_a_whole_case_is_an_error_with_its_line(tmp_path, text, what):
    write(tmp_path, OWN)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "boards.yaml").write_text("# ours\n" + text)
    with pytest.raises(KnowledgeError, match=what) as caught:
        try_rules(rules_in_use([tmp_path]), (tmp_path,))
    assert caught.value.where.startswith(("cases/boards.yaml:2", "boards.yaml"))


def test_a_new_rule_is_sound_as_it_is_written(tmp_path):
    path = write_skeleton("XB-07", "our_boards", tmp_path)
    assert path == tmp_path / "our_boards" / "XB-07-new-rule.yaml"
    base = rules_in_use([tmp_path])
    assert [problem.code for problem in lint(base) if problem.rule == "XB-07"] == []
    assert not try_rules(base, (tmp_path,)).failed


@pytest.mark.parametrize(
    ("rule", "group", "what"),
    [("X-1", "boards", "is no id"), ("XA-01", "Our boards", "no name of a group"), ("HW-05a", "boards", "exists")],
)
def test_a_new_rule_needs_a_free_id_and_a_plain_group(tmp_path, rule, group, what):
    with pytest.raises(KnowledgeError, match=what):
        write_skeleton(rule, group, tmp_path)
    assert not list(tmp_path.iterdir())
