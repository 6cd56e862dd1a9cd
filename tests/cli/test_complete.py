"""Completion offers the names that the commands accept, and only those that begin as typed."""

import os
import subprocess
import sys

import pytest

from advisor.cli import complete
from advisor.devices import list_devices
from advisor.rules import load_rules
from advisor.schema import Device, Goal


@pytest.mark.parametrize(
    ("function", "typed", "offered"),
    [
        (complete.goals, "", ["balanced", "latency", "size", "memory", "energy", "accuracy"]),
        (complete.goals, "la", ["latency"]),
        (complete.goals, "x", []),
        (complete.budgets, "f", ["finetune"]),
        (complete.kinds, "mcu", ["mcu", "mcu-npu"]),
        (complete.techniques, "static", ["static_int8"]),
    ],
)
def test_names_are_offered(function, typed, offered):
    assert function(typed) == offered


def test_goals_budgets_and_kinds_are_those_of_the_schema():
    def choices(record, field: str) -> tuple[str, ...]:
        return record.model_fields[field].annotation.__args__

    assert choices(Goal, "kind") == complete.GOALS
    assert choices(Goal, "budget") == complete.BUDGETS
    assert choices(Device, "kind") == complete.KINDS


def test_devices_are_offered_with_the_host():
    assert set(complete.devices("")) == {"host"} | {device.id for device in list_devices()}
    assert "jetson-nano" in complete.devices("jetson")
    assert all(name.startswith("jetson") for name in complete.devices("jetson"))


def test_rules_are_offered_in_either_case():
    ids = [rule.id for rule in load_rules().rules]
    assert complete.rules("") == ids
    assert complete.rules(ids[0].lower()[:3]) == [one for one in ids if one.startswith(ids[0][:3])]
    assert set(complete.groups("")) == {rule.group for rule in load_rules().rules}


@pytest.mark.parametrize(("typed", "written"), [("hw-05A", "HW-05a"), ("HW-05", "HW-05"), ("h", "H"), ("", "")])
def test_rule_ids_are_written_in_one_way(typed, written):
    assert complete.rule_id(typed) == written


def test_the_shell_gets_devices():
    words = "advisor devices show jetson-na"
    environment = os.environ | {
        "_ADVISOR_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "3", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "advisor"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["jetson-nano"], done.stderr
