"""A stored decision asked again: the same answer, or what changed and which rules are behind it."""

import json
import os
import subprocess
import sys

import pytest

import advisor
import advisor.techniques  # registers the steps
from advisor.errors import DeviceError, ModelLoadError, RunError
from advisor.ranking.decision import FORMAT
from advisor.ranking.replay import replay
from advisor.ranking.rule_digests import knowledge_version
from advisor.ranking.store import load_recommendation, save_recommendation
from advisor.schema import Metric
from tests.ranking.builders import decided, estimate
from tests.ranking.test_counterfactual import BIG, FAVOUR, VETO, three

FACTS = {"model.params": 6_000_000, "model.has_se": True, "dev.isa": ["neon", "dotprod"]}


@pytest.fixture
def stored(rules_of):
    """A decision for int8, which a favouring rule speaks for and a veto waits to rule out."""
    rules = rules_of(VETO, FAVOUR, name="then")
    return decided(rules, *three(), facts=FACTS, knowledge=f"{rules.version} {rules.digest[:12]}")


def asked(stored, rules, again=None, profile="p"):
    def anew():
        if again is None:
            raise ModelLoadError("the file is gone")
        return again

    return replay(stored, rules, lambda: profile, anew)


def test_the_same_rules_give_the_same_answer(rules_of, stored):
    found = asked(stored, rules_of(VETO, FAVOUR), again=stored)
    assert found.same
    assert found.answer[0] == "Same answer."
    assert [c.same for c in found.comparisons] == [True, True]


def test_a_changed_a_new_and_a_gone_rule_are_named(rules_of, stored):
    found = asked(stored, rules_of(VETO | {"when": "plan.precision == 'int8'"}, BIG))
    assert not found.same
    assert {c.rule: c.what for c in found.rules} == {"AA-01": "new", "AA-02": "gone", "CA-01": "changed"}
    said = " ".join(found.answer)
    assert "The recommendation has changed." in said
    assert "AA-01 (new)" in said
    assert {f.what for f in found.comparisons[0].flips} == {"AA-01", "AA-02", "CA-01"}


def test_a_rule_that_changed_without_effect_leaves_the_answer_and_is_counted(rules_of, stored):
    other = {"id": "ZZ-01", "when": "plan.precision == 'w4'"}
    found = asked(stored, rules_of(VETO, FAVOUR, other))
    assert found.same
    assert "changed: 1 rule;" in " ".join(found.answer)
    assert "none of them turns" in " ".join(found.answer)


def test_a_new_wording_alone_changes_no_answer(rules_of, stored):
    found = asked(stored, rules_of(VETO | {"reason": "in other words"}, FAVOUR))
    assert found.same
    assert found.rules == ()
    assert "No rule says anything else" in " ".join(found.answer)


def test_other_figures_and_another_profile_are_told(rules_of, stored):
    slower = stored.by_number[3].model_copy(
        update={"estimates": stored.by_number[3].estimates | {Metric.LATENCY: estimate(Metric.LATENCY, 11.0)}}
    )
    others = tuple(slower if c.number == 3 else c for c in stored.candidates)
    found = asked(stored, rules_of(VETO, FAVOUR), stored.model_copy(update={"candidates": others}), profile="q")
    assert not found.same
    assert found.answer[0] == "The recommendation is the same; other parts of the answer have changed."
    assert "latency_ms 10 to 11" in found.comparisons[1].figures[0]
    assert "profile (p, now q)" in " ".join(found.answer)


def test_where_all_versions_agree_predictions_or_weights_are_behind_it(rules_of, stored):
    rules = rules_of(VETO, FAVOUR, name="then-again")
    here = stored.model_copy(update={"engine": advisor.__version__, "knowledge": knowledge_version(rules), "winner": 2})
    found = asked(here, rules)
    assert not found.same
    assert "predictions or weights have changed" in found.answer[-2]


def test_a_model_or_a_device_that_is_gone_leaves_the_stored_facts(rules_of, stored):
    def gone():
        raise DeviceError("unknown device 'p'")

    found = replay(stored, rules_of(VETO, FAVOUR), gone, gone)
    assert found.same
    assert len(found.comparisons) == 1
    assert "Not decided from the start: unknown device 'p'." in found.answer
    assert found.versions[2].now == "gone: unknown device 'p'"


def test_a_plan_of_the_first_version_still_answers(rules_of, stored, tmp_path):
    old = stored.model_copy(update={"rule_digests": {}, "wanted": ()})
    save_recommendation(old, tmp_path / "plan.json")
    assert "version" not in json.loads((tmp_path / "plan.json").read_text())
    read = load_recommendation(tmp_path / "plan.json")
    assert read.version == 1
    found = asked(read, rules_of(VETO, BIG))
    assert not found.same
    assert "cannot be named" in " ".join(found.answer)


def test_a_plan_of_a_later_version_is_refused(stored, tmp_path):
    save_recommendation(stored.model_copy(update={"version": FORMAT + 1}), tmp_path / "plan.json")
    with pytest.raises(RunError, match="version"):
        load_recommendation(tmp_path / "plan.json")


_MAKE = """
from advisor.facts import device_facts
from advisor.devices import load_device
from tests.ranking.builders import candidate, recommendation
facts = device_facts(load_device("jetson-orin-nano")) | {"model.act_fns": frozenset(("relu", "silu", "gelu", "mish"))}
own = {"rt.precisions": frozenset(("fp32", "fp16", "int8"))}
made = recommendation(candidate(0, 50.0, facts=own), candidate(1, 40.0, facts=own), facts=facts)
print(made.model_dump_json(exclude_defaults=True))
"""


def test_the_same_decision_is_written_the_same_in_every_process():
    written = {
        subprocess.run(
            [sys.executable, "-c", _MAKE], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(written) == 1
