"""The command line of explanations; what it asks for is stood in for, so that only the command is tested."""

import pytest

from advisor import questions
from advisor.ranking.store import save_recommendation
from advisor.ranking.turning.facts import BY_RULES
from advisor.schema import Comparison, Counterfactual, Explanation, Flip, Metric, Replay, RuleChange, Version
from advisor.schema.explanation import FigureChange
from tests.reports import builders

LONG = "the limit on accuracy loss no longer rejects #17"
FOUND = Explanation(
    question="which change of one thing would make another plan win",
    answer=("Now #2 wins.",),
    counterfactuals=(
        Counterfactual(kind="limit", change="max_latency=29.4ms", short_of="max_latency=29.5ms", before="33 ms",
                       size=0.1667, winner=17, plan="#17 'int8 static, percentile' on tensorrt/gpu", because=(LONG,)),
        Counterfactual(kind="limit", change="max_size=90MB", before="no limit", size=0.5, winner=1,
                       plan="#1 'change the runtime only' on tensorrt/gpu", because=("it meets the limits",),
                       note="anylimit"),
        Counterfactual(kind="fact", change="model.reparam_state=training", before="none", size=2.0, winner=None,
                       plan="no plan", because=("QS-08a rejects #2",), note=BY_RULES),
    ),
)  # fmt: skip
FLIP = Flip(plan="#2 fp16", what="HW-05", before="silent", after="rejects")
VERSIONS = (Version(what="knowledge", stored="0.1.0 aaaaaaaaaaaa", now="0.1.0 bbbbbbbbbbbb"),)


def comparison(how: str, same: bool) -> Comparison:
    flips = () if same else (FLIP,)
    return Comparison(how=how, same=same, same_winner=same, winner="The recommendation stays.", flips=flips)


def replayed(same: bool) -> Replay:
    return Replay(
        same=same,
        answer=("Same answer." if same else "The recommendation has changed.",),
        versions=VERSIONS,
        rules=() if same else (RuleChange(rule="HW-05", what="changed"),),
        comparisons=(comparison("on the stored facts", same), comparison("from the start", same)),
    )


@pytest.fixture
def plan(tmp_path):
    save_recommendation(builders.recommendation(), tmp_path / "plan.json")
    return tmp_path / "plan.json"


def narrow(text: str) -> str:
    assert max(map(len, text.splitlines())) <= 80
    return " ".join(text.split())


def test_counterfactuals_fit_a_terminal_and_mark_what_only_rules_follow(monkeypatch, invoke, plan):
    monkeypatch.setattr(questions, "counterfactual", lambda *_, **__: FOUND)
    said = narrow(invoke("explain", plan, "--counterfactual").stdout)
    for text in ("max_latency = 29.4ms", "(33 ms)", "0.17", "2.00*", "no plan", "anylimit"):
        assert text in said
    assert said.count("*") == 1  # a note of a limit is no such mark


def test_counterfactuals_in_json_hold_both_sides_of_the_turn(monkeypatch, invoke_json, plan):
    monkeypatch.setattr(questions, "counterfactual", lambda *_, **__: FOUND)
    first = invoke_json("explain", plan, "--counterfactual")["counterfactuals"][0]
    assert (first["change"], first["short_of"]) == ("max_latency=29.4ms", "max_latency=29.5ms")


@pytest.mark.parametrize(("same", "code", "says"), [(True, 0, "Same answer."), (False, 1, "HW-05 silent rejects 1")])
def test_a_replay_tells_by_its_exit_code_whether_the_answer_has_changed(
    monkeypatch, invoke, invoke_json, plan, same, code, says
):
    monkeypatch.setattr(questions, "replay", lambda *_, **__: replayed(same))
    result = invoke("explain", plan, "--replay")
    assert result.exit_code == code, result.output
    said = narrow(result.stdout)
    assert says in said
    assert ("the same differences" in said) is not same
    assert invoke_json("explain", plan, "--replay", code=code)["same"] is same


@pytest.mark.parametrize("other", [("--replay",), ("--why", "1"), ("--what-if", "max_drop=1")])
def test_one_question_at_a_time(invoke, plan, other):
    result = invoke("explain", plan, "--counterfactual", *other)
    assert result.exit_code == 2
    assert "several questions" in result.stderr


def test_rules_of_ones_own_reach_every_question(monkeypatch, invoke, plan, tmp_path):
    given = []

    def stand_in(*_, rules, **__):
        given.append(rules)
        return FOUND

    for name in ("explain", "counterfactual"):
        monkeypatch.setattr(questions, name, stand_in)
    invoke("explain", plan, "--rules", tmp_path)
    invoke("explain", plan, "--counterfactual", "--rules", tmp_path)
    assert given == [(tmp_path,), (tmp_path,)]


def test_the_short_answer_names_the_deciding_facts_and_the_trace_the_whole_tree(monkeypatch, invoke, plan):
    monkeypatch.setattr(questions, "explain", lambda *_, **__: builders.explanation())
    short, whole = invoke("explain", plan).stdout, invoke("explain", plan, "--trace").stdout
    assert "because" in short
    assert "false all of" not in short
    assert "false all of" in whole


def test_a_what_if_shows_what_becomes_of_the_figures(monkeypatch, invoke, plan):
    before, after = builders.recommendation().candidates[0], builders.recommendation().candidates[-1]
    figures = tuple(
        FigureChange(metric=m, before=before.estimates.get(m), after=after.estimates.get(m))
        for m in (Metric.LATENCY, Metric.ACCURACY)
    )
    found = Explanation(question="what if", answer=("It changes.",), figures=figures)
    monkeypatch.setattr(questions, "explain", lambda *_, **__: found)
    said = narrow(invoke("explain", plan, "--what-if", "max_drop=1").stdout)
    assert "What becomes of the figures" in said
    assert " %" in said
