"""`recommend --probe` through the command line."""

import json

import pytest

from tests.execution.digits import SIZE, digits_dir, trained

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from advisor.runtimes.onnx_export import export_onnx

    return export_onnx(trained(), (1, 1, SIZE, SIZE), tmp_path_factory.mktemp("probe") / "model.onnx")


def test_the_report_tells_what_was_seen_and_the_plan_replays(invoke, model, tmp_path):
    plan = tmp_path / "plan.json"
    run = invoke("recommend", str(model), "--target", "host", "--data", str(digits_dir()), "--probe-time", "5s",
                 "-o", str(plan))  # fmt: skip
    assert run.exit_code == 0
    for text in ("Probe", "What plans do to this model", "Layers that int8 harms most"):
        assert text in run.output
    assert max(map(len, run.output.splitlines())) <= 80
    stored = json.loads(plan.read_text())
    assert stored["probe"]["original"] > 50
    assert "probe" in {
        c["estimates"]["accuracy_delta_pp"]["predictor"]
        for c in stored["candidates"]
        if "accuracy_delta_pp" in c["estimates"]
    }
    assert invoke("explain", str(plan), "--replay").exit_code == 0


def test_a_run_is_judged_by_what_the_probe_predicted(invoke, model, tmp_path):
    plan, out = tmp_path / "plan.json", tmp_path / "run"
    invoke(
        "recommend", str(model), "--target", "host", "--data", str(digits_dir()), "--probe-time", "4s", "-o", str(plan)
    )
    number = next(c["number"] for c in json.loads(plan.read_text())["candidates"]
                  if [s["name"] for s in c["plan"]["steps"]] == ["static_int8"])  # fmt: skip
    run = invoke("apply", str(plan), "--plan", str(number), "--data", str(digits_dir()), "--out", str(out))
    assert run.exit_code == 0
    assert json.loads((out / "run.json").read_text())["predicted_here"]["accuracy_delta_pp"]["predictor"] == "probe"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--probe"], "a probe needs images"),
        (["--probe-time", "0s", "--data", "DATA"], "zero"),
        (["--probe-time", "soon", "--data", "DATA"], "--probe-time"),
    ],
)
def test_a_probe_that_cannot_be_is_refused(invoke, model, arguments, said):
    given = [str(digits_dir()) if one == "DATA" else one for one in arguments]
    run = invoke("recommend", str(model), "--target", "host", *given)
    assert run.exit_code == 2
    assert said in run.output + run.stderr


def test_random_weights_are_not_probed(invoke, tmp_path):
    run = invoke("recommend", "timm:test_resnet", "--input", "1x3x32x32", "--target", "host",
                 "--data", str(digits_dir()), "--probe")  # fmt: skip
    assert run.exit_code == 2
    assert "random weights" in run.output + run.stderr
