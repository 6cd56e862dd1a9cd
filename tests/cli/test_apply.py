"""The command `apply`: what it hands over, what it refuses, and how it ends when it is interrupted."""

import pytest

from tests.cli.test_commands import pipeline  # noqa: F401 - a fixture


def test_the_options_of_a_goal_are_those_of_recommend(invoke, pipeline, tmp_path):  # noqa: F811
    result = invoke("apply", "timm:resnet18", "-t", "host", "-o", tmp_path / "run", "--max-size", "5MB",
                    "--goal", "size", "--budget", "calibration", "--threads", "2")  # fmt: skip
    assert result.exit_code == 0, result.output
    goal = pipeline.calls[0].named["goal"]
    assert (goal.kind, goal.budget, goal.threads) == ("size", "calibration", 2)
    assert goal.limits[0].bound == 5


def test_images_are_optional(invoke, pipeline, tmp_path):  # noqa: F811
    assert invoke("apply", "plan.json", "-o", tmp_path / "run").exit_code == 0
    assert pipeline.calls[0].named["data"] is None


@pytest.mark.parametrize("option", ["resume", "restart"])
def test_going_on_and_beginning_anew_are_handed_over(invoke, pipeline, tmp_path, option):  # noqa: F811
    assert invoke("apply", "plan.json", "-o", tmp_path / "run", f"--{option}").exit_code == 0
    named = pipeline.calls[0].named
    assert (named["resume"], named["restart"]) == (option == "resume", option == "restart")


REFUSED = {
    "both": (("p.json", "-o", "r", "--resume", "--restart"), "contradict each other"),
    "a goal beside a stored plan": (("p.json", "-o", "r", "--goal", "size"), "goal of its own"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_itself_is_refused(invoke, name):
    arguments, said = REFUSED[name]
    result = invoke("apply", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("begun", [True, False])
def test_an_interrupted_run_ends_with_130_and_the_command_that_goes_on(invoke, tmp_path, monkeypatch, begun):
    from advisor import pipeline as journeys

    def interrupted(*_, out, **__):
        if begun:
            (out.parent / ".run.unfinished").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(journeys, "apply", interrupted)
    monkeypatch.setattr("sys.argv", ["advisor", "apply", "my plan.json", "-o", "run"])
    result = invoke("apply", "my plan.json", "-o", tmp_path / "run")
    assert result.exit_code == 130
    said = "go on with: advisor apply 'my plan.json' -o run --resume" if begun else "nothing was done yet"
    assert said in result.stderr


@pytest.mark.real
def test_without_images_only_steps_that_need_none_are_planned(tmp_path):
    from advisor import pipeline as journeys
    from tests.execution.carrying import few_images
    from tests.execution.digits import build

    asked = {}

    def recommend(model, target, *, goal, data, **_):
        asked[data] = goal.budget
        raise InterruptedError

    real, journeys.recommend = journeys.recommend, recommend
    try:
        for data in (None, few_images()):
            with pytest.raises(InterruptedError):
                journeys.apply(build(), data=data, out=tmp_path / "out", target="host")
    finally:
        journeys.recommend = real
    assert asked == {None: "none", few_images(): "finetune"}
