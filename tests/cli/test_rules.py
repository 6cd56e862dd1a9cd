"""`advisor rules`: check, coverage, test and new, and rules of one's own on every command that asks the rules."""

from pathlib import Path

import pytest
import yaml

from advisor.rules import load_rules
from tests.rules.test_own_rules import OWN, write

SOUND = OWN | {"when": "dev.kind == 'sbc' and plan.full_int8",
               "cases": {"fires": {"dev.kind": "sbc", "plan.full_int8": True},
                         "silent": {"dev.kind": "sbc", "plan.full_int8": False}}}  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    return write(tmp_path / "mine", SOUND)


def test_the_shipped_rules_pass_the_check(invoke, invoke_json):
    result = invoke("rules", "check", "--all")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert " 0 errors" in result.stdout
    assert "Accepted:" in result.stdout
    found = invoke_json("rules", "check")["problems"]
    assert {problem["severity"] for problem in found} <= {"notice", "warning"}


def test_the_check_ends_with_2_where_a_rule_is_broken(invoke, invoke_json, tmp_path):
    (tmp_path / "ZZ-01-broken.yaml").write_text("id: ZZ-01\nwhen: modl.macs > 1\n")
    result = invoke("rules", "check", tmp_path)
    assert result.exit_code == 2
    assert "ZZ-01-broken.yaml:1" in result.stdout.replace("\n", "").replace(" ", "")
    problems = invoke_json("rules", "check", "--rules", tmp_path, code=2)["problems"]
    assert [problem["code"] for problem in problems if problem["severity"] == "error"] == ["load"]


def test_a_check_is_explained_by_its_code(invoke, invoke_json):
    assert "two rules have the same condition" in invoke("rules", "check", "--explain", "duplicate").stdout
    assert invoke_json("rules", "check", "--explain", "deadlock")["severity"] == "error"
    assert invoke_json("rules", "lint", "--explain", "deadlock")["code"] == "deadlock", "its other name"
    result = invoke("rules", "check", "--explain", "dupliate")
    assert result.exit_code == 2
    assert "duplicate" in result.stderr


def test_coverage_counts_rules_by_technique_and_class(invoke, invoke_json):
    result = invoke("rules", "coverage")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    cells = {(cell["technique"], cell["class"]): cell for cell in invoke_json("rules", "coverage")["cells"]}
    assert cells["static_int8", "sbc"]["by_kind"]["veto"] > 0
    assert cells["static_int8", "sbc"]["judging"] >= cells["static_int8", "sbc"]["by_device"] > 0
    one = invoke("rules", "coverage", "--technique", "half")
    assert max(map(len, one.stdout.splitlines())) <= 80
    assert invoke("rules", "coverage", "--technique", "haf").exit_code == 2


def test_the_cases_of_all_rules_are_run(invoke, invoke_json):
    result = invoke("rules", "test", "--parts")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    found = invoke_json("rules", "test")
    assert found["rules"] == found["fired"] == found["silent"] > 170
    assert found["failed"] == 0
    assert f"{found['rules']} rules, {found['rules']} fired, {found['rules']} silent" in result.stdout


def test_a_failing_case_ends_with_1_and_an_unreadable_one_with_2(invoke, mine):
    assert invoke("rules", "test", mine).exit_code == 0
    cases = mine / "cases" / "boards.yaml"
    cases.parent.mkdir()
    cases.write_text("A board:\n  facts: {dev.kind: sbc, plan.full_int8: true}\n  silent: [XA-01]\n")
    result = invoke("rules", "test", mine)
    assert result.exit_code == 1
    assert "XA-01 should be silent, but rejects" in " ".join(result.stdout.split())
    cases.write_text("A board:\n  facts: {dev.kid: sbc}\n")
    result = invoke("rules", "test", mine)
    assert result.exit_code == 2
    assert "dev.kid" in result.stderr


def test_a_new_rule_can_be_tested_at_once(invoke, invoke_json, tmp_path):
    folder = tmp_path / "rules"
    written = Path(invoke_json("rules", "new", "xa-01", "--group", "boards", "--dir", folder)["file"])
    assert yaml.safe_load(written.read_text())["id"] == "XA-01"
    assert invoke("rules", "test", folder).exit_code == 0
    assert invoke("rules", "new", "XA-01", "--group", "boards", "--dir", folder).exit_code == 2


def test_rules_of_ones_own_are_listed_and_shown(invoke, invoke_json, mine, monkeypatch):
    assert invoke_json("rules", "show", "XA-01", "--rules", mine)["group"] == "boards"
    assert [rule["id"] for rule in invoke_json("rules", "list", "--group", "boards", "--rules", mine)] == ["XA-01"]
    assert invoke("rules", "show", "XA-01").exit_code == 2
    monkeypatch.setenv("ADVISOR_RULES", str(mine))
    assert invoke_json("rules", "show", "XA-01")["id"] == "XA-01"


def test_a_folder_that_is_not_there_is_an_error(invoke, tmp_path):
    for command in (("list",), ("show", "HW-05a"), ("check",), ("test",), ("coverage",)):
        result = invoke("rules", *command, "--rules", tmp_path / "nowhere")
        assert result.exit_code == 2
        assert "nowhere does not exist" in result.stderr


@pytest.mark.real
def test_a_rule_of_ones_own_takes_part_in_a_decision(invoke, invoke_json, mine, tmp_path):
    plan = tmp_path / "plan.json"
    few = ("--runtime", "ncnn", "--budget", "calibration")
    found = invoke_json("recommend", "timm:resnet18", "-t", "raspberry-pi-4b", *few, "--rules", mine, "-o", plan)
    rejected = [c for c in found["candidates"] if any(text.startswith("XA-01") for text in c.get("rejected_by", ()))]
    assert rejected
    assert all({"static_int8", "qat"} & {step["name"] for step in c["plan"]["steps"]} for c in rejected)
    assert found["added_rules"][0]["rules"] == ["XA-01"]
    assert load_rules().digest not in found["knowledge"]
    assert any("XA-01" in note for note in found["notes"])
    assert invoke("explain", plan, "--what-if", "max_drop=2").exit_code == 0
    (mine / "boards" / "XA-01-a-rule.yaml").unlink()
    result = invoke("explain", plan, "--what-if", "max_drop=2")
    assert result.exit_code == 2
    assert "holds no rule" in result.stderr
