"""What each command hands to the pipeline, what it shows, and with which code it ends."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from advisor import __version__
from advisor.pipeline import load_recommendation
from advisor.schema import Metric
from tests.reports import builders


@pytest.fixture
def pipeline(monkeypatch):
    """Put recorded answers in place of the journeys; `calls` holds what they were given."""
    calls: list[SimpleNamespace] = []
    answers = {
        "recommend": builders.recommendation(),
        "apply": builders.run(),
        "verify": builders.run(),
        "explain": builders.explanation(),
    }

    def stand_in(name: str):
        def journey(*positional: object, **named: object):
            calls.append(SimpleNamespace(name=name, positional=positional, named=named))
            return answers[name]

        return journey

    for name in answers:
        monkeypatch.setattr(f"advisor.{'questions' if name == 'explain' else 'pipeline'}.{name}", stand_in(name))
    return SimpleNamespace(calls=calls, answers=answers)


def test_recommend_hands_over_everything_that_was_asked(invoke, pipeline, tmp_path):
    result = invoke(
        "recommend", "net.pt", "--target", "jetson-nano", "--data", tmp_path, "--max-latency", "33ms", "--goal", "size",
        "--max-drop", "2", "--budget", "calibration", "--runtime", "tensorrt", "--batch", "4", "--threads", "2",
        "--input", "1x3x64x64", "--arch", "timm:resnet18", "--trust", "--seed", "7",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (call,) = pipeline.calls
    assert call.positional == ("net.pt", "jetson-nano")
    goal = call.named["goal"]
    assert (goal.kind, goal.budget, goal.runtime, goal.batch, goal.threads, goal.seed) == (
        "size", "calibration", "tensorrt", 4, 2, 7,
    )  # fmt: skip
    assert {limit.metric: limit.bound for limit in goal.limits} == {Metric.LATENCY: 33.0, Metric.ACCURACY: 2.0}
    assert call.named["data"] == str(tmp_path)
    assert call.named["input_shape"] == (1, 3, 64, 64)
    assert (call.named["arch"], call.named["trust"]) == ("timm:resnet18", True)
    assert "checkpoint" not in call.named
    assert "Recommended: plan 2" in result.stdout
    assert result.stderr.startswith("note: --trust")


def test_recommend_without_a_plan_ends_with_3(invoke, pipeline, tmp_path):
    pipeline.answers["recommend"] = builders.recommendation(feasible=False)
    plan = tmp_path / "plan.json"
    result = invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", plan)
    assert result.exit_code == 3
    assert "No plan meets the limits" in result.stdout
    assert load_recommendation(plan).winner is None


def test_a_stored_plan_reads_back_as_it_was(invoke, pipeline, tmp_path):
    plan = tmp_path / "sub" / "plan.json"
    assert invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", plan).exit_code == 0
    assert load_recommendation(plan) == builders.recommendation()
    assert [path.name for path in plan.parent.iterdir()] == ["plan.json"]


def test_a_report_is_written_as_markdown(invoke, pipeline, tmp_path):
    report = tmp_path / "report.md"
    assert invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", report).exit_code == 0
    assert report.read_text().startswith("# resnet50 on jetson-nano\n")


def test_apply_hands_over_plan_and_folders_and_writes_a_report(invoke, pipeline, tmp_path):
    result = invoke("apply", "plan.json", "--plan", "3", "--data", tmp_path, "--out", tmp_path / "run", "--seed", "5")
    assert result.exit_code == 0, result.output
    (call,) = pipeline.calls
    assert call.positional == ("plan.json",)
    assert (call.named["number"], call.named["seed"], call.named["target"]) == (3, 5, None)
    assert (call.named["data"], call.named["out"]) == (str(tmp_path), tmp_path / "run")
    assert "Predicted against measured" in result.stdout
    assert "Predicted against measured" in (tmp_path / "run" / "report.md").read_text()


@pytest.mark.parametrize(("hit", "code"), [(True, 0), (None, 0), (False, 4)])
def test_verify_ends_with_4_where_a_prediction_is_missed(invoke, pipeline, tmp_path, hit, code):
    pipeline.answers["verify"] = builders.run(hit)
    result = invoke("verify", tmp_path, "--data", "python:mine:images")
    assert result.exit_code == code
    assert pipeline.calls[0].positional == (Path(tmp_path),)
    assert pipeline.calls[0].named["data"] == "python:mine:images"


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ((), {"why": None, "why_not": None, "what_if": (), "rules": ()}),
        (("--why", "2"), {"why": 2, "why_not": None, "what_if": (), "rules": ()}),
        (("--why-not", "static_int8"), {"why": None, "why_not": "static_int8", "what_if": (), "rules": ()}),
        (
            ("--what-if", "max_drop=2", "--what-if", "goal=size"),
            {"why": None, "why_not": None, "what_if": ("max_drop=2", "goal=size"), "rules": ()},
        ),
    ],
)
def test_explain_hands_over_the_question(invoke, pipeline, tmp_path, arguments, asked):
    plan = tmp_path / "plan.json"
    invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", plan)
    result = invoke("explain", plan, *arguments)
    assert result.exit_code == 0, result.output
    assert pipeline.calls[-1].named == asked
    assert pipeline.calls[-1].positional == (builders.recommendation(),)
    assert "why not #90" in result.stdout


def test_the_journeys_answer_in_json(invoke_json, invoke, pipeline, tmp_path):
    plan = tmp_path / "plan.json"
    invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", plan)
    assert invoke_json("recommend", "net.pt", "-t", "jetson-nano")["winner"] == 2
    assert invoke_json("apply", "plan.json", "--data", tmp_path, "--out", tmp_path)["device"] == "jetson-nano"
    assert invoke_json("verify", tmp_path)["verdicts"][0]["hit"] is True
    assert invoke_json("explain", plan)["question"] == "why not #90"
    pipeline.answers["recommend"] = builders.recommendation(feasible=False)
    assert invoke_json("recommend", "net.pt", "-t", "jetson-nano", code=3)["winner"] is None


def test_devices_rules_and_this_machine_answer_in_json(invoke_json):
    kinds = {device["kind"] for device in invoke_json("devices", "list", "--kind", "gpu-soc")}
    assert kinds == {"gpu-soc"}
    assert invoke_json("devices", "show", "jetson-nano")["id"] == "jetson-nano"
    assert invoke_json("devices", "detect")["id"] == "host"
    rules = invoke_json("rules", "list")
    assert invoke_json("rules", "show", rules[0]["id"].lower())["id"] == rules[0]["id"]
    group = rules[0]["group"]
    assert invoke_json("rules", "list", "--group", group) == [rule for rule in rules if rule["group"] == group]


@pytest.mark.real
@pytest.mark.parametrize("by", ["op", "module"])
def test_profile_counts_a_real_model(invoke, by):
    result = invoke("profile", "timm:resnet18", "--by", by)
    assert result.exit_code == 0, result.output
    assert "11.7 M parameters, 1.81 G MACs, 46.8 MB of weights, input 1x3x224x224" in " ".join(result.stdout.split())
    assert ("conv_1x1" if by == "op" else "layer4") in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.real
def test_profile_answers_in_json(invoke_json):
    workload = invoke_json("profile", "timm:resnet18")
    assert sum(op["macs"] for op in workload["ops"]) == 1_814_073_344  # fvcore's count of ResNet-18 at 224


def test_the_version_is_the_packages(invoke):
    assert invoke("--version").stdout == f"advisor {__version__}\n"


def test_help_names_every_command_and_the_exit_codes(invoke):
    text = " ".join(invoke("--help").stdout.split())
    for name in ("recommend", "apply", "verify", "profile", "explain", "devices", "rules", "3 no plan", "130"):
        assert name in text


def test_without_arguments_the_help_is_shown(invoke):
    assert "Usage: advisor" in invoke().output


def test_profiles_and_plans_are_json_files(invoke, pipeline, tmp_path):
    plan = tmp_path / "plan.json"
    invoke("recommend", "net.pt", "-t", "jetson-nano", "-o", plan)
    assert json.loads(plan.read_text())["device"] == "jetson-nano"


def test_a_power_mode_and_a_limit_on_flash_reach_the_goal(invoke, pipeline):
    result = invoke("recommend", "net.pt", "-t", "jetson-nano", "--power-mode", "5W", "--max-flash", "512kB")
    assert result.exit_code == 0, result.output
    goal = pipeline.calls[0].named["goal"]
    assert goal.power_mode == "5W"
    assert [(limit.metric, limit.bound) for limit in goal.limits] == [(Metric.FLASH, 0.512)]
