"""The whole journey through the command line in processes of its own: a trained network, real images, real files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.execution.digits import SIZE, trained, write_digits

pytestmark = pytest.mark.real
SHAPE = f"1x1x{SIZE}x{SIZE}"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with images and a network of plain torch layers in an ONNX file and as a state dict of unknown shape."""
    import torch

    from advisor.runtimes.onnx_export import export_onnx

    folder = tmp_path_factory.mktemp("journey")
    write_digits(folder / "images", 600)
    export_onnx(trained(), (1, 1, SIZE, SIZE), folder / "model.onnx")
    torch.save(trained().state_dict(), folder / "state.pt")
    plain = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1), torch.nn.BatchNorm2d(32), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10),
    )  # fmt: skip
    torch.save(plain, folder / "module.pt")
    torch.save(torch.nn.Sequential(*plain[:-1], torch.nn.Linear(32, 3)), folder / "three.pt")
    (folder / "truncated.onnx").write_bytes((folder / "model.onnx").read_bytes()[:500])
    (folder / "empty").mkdir()
    return folder


def advisor(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "COLUMNS": "80", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "advisor", *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def plan(place) -> dict:
    """A stored recommendation for a pickled module."""
    run = advisor(place, "recommend", "module.pt", "--input", SHAPE, "--target", "host", "--data", "images",
                  "--max-drop", "5", "-o", "plan.json", "--json")  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def number_of(plan: dict, *techniques: str) -> str:
    return next(
        str(c["number"]) for c in plan["candidates"] if [s["name"] for s in c["plan"]["steps"]] == list(techniques)
    )


def test_every_plan_of_a_recommendation_has_a_fate(plan):
    statuses = {c["status"] for c in plan["candidates"]}
    assert statuses <= {"recommended", "feasible", "dominated", "rejected"}
    assert sum(c["status"] == "recommended" for c in plan["candidates"]) == 1
    assert all(c["rejected_by"] for c in plan["candidates"] if c["status"] == "rejected")


@pytest.mark.parametrize("question", [("--why", "1"), ("--why-not", "static_int8"), ("--what-if", "max_drop=0.01")])
def test_a_stored_plan_answers_questions(place, plan, question):
    run = advisor(place, "explain", "plan.json", *question)
    assert run.returncode == 0, run.stderr
    assert "change the runtime only" in run.stdout or "int8" in run.stdout


@pytest.fixture(scope="module")
def applied(place, plan) -> dict:
    run = advisor(place, "apply", "plan.json", "--plan", number_of(plan, "static_int8"), "--data", "images",
                  "--out", "run", "--json")  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def test_the_shipped_file_is_smaller_runs_integers_and_its_accuracy_is_reported(place, applied):
    files = {a["role"]: a for a in applied["artefacts"]}
    assert files["shipped"]["bytes"] < files["baseline"]["bytes"]
    assert (place / "run" / files["shipped"]["file"]).stat().st_size == files["shipped"]["bytes"]
    assert int(applied["environment"]["heavy_int8"]) > 0
    assert {"original", "shipped"} <= set(applied["accuracy"])
    assert all(check["previewed"] == check["actual"] for check in applied["checks"])
    assert {v["metric"] for v in applied["verdicts"]} >= {"latency_ms", "size_mb", "memory_mb", "accuracy_delta_pp"}


def test_a_run_is_verified_again_and_a_damaged_one_is_refused(place, applied):
    first = advisor(place, "verify", "run", "--json")
    assert first.returncode in (0, 4), first.stderr  # 4: a figure lies outside its predicted interval
    assert json.loads(first.stdout)["verdicts"]
    file = place / "run" / next(a["file"] for a in applied["artefacts"] if a["role"] == "shipped")
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-100])
        damaged = advisor(place, "verify", "run")
        assert damaged.returncode == 2
        assert file.name in damaged.stderr
    finally:
        file.write_bytes(whole)


def test_an_onnx_file_goes_the_whole_way(place):
    run = advisor(place, "recommend", "model.onnx", "--target", "raspberry-pi-4b", "--data", "images", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["original"]["macs"] > 0
    pruned = [c for c in found["candidates"] if "prune_channels" in [s["name"] for s in c["plan"]["steps"]]]
    assert pruned
    assert not any(c["appliable"] for c in pruned)  # cutting needs the torch module


def test_a_plan_that_finds_nothing_in_this_network_is_refused_by_name(place, plan):
    number = number_of(plan, "static_int8")
    changed = json.loads((place / "plan.json").read_text())
    chosen = next(c for c in changed["candidates"] if c["number"] == int(number))
    chosen["plan"]["steps"] = [{"name": "prune_transformer", "mlp_ratio": 0.3}]
    (place / "later.json").write_text(json.dumps(changed))
    run = advisor(place, "apply", "later.json", "--plan", number, "--data", "images", "--out", "no")
    assert run.returncode == 2
    assert "prune_transformer finds nothing to cut" in run.stderr
    assert not (place / "no").exists()


BAD = {
    "no such file": (("recommend", "nothing.pt", "-t", "host"), "nothing.pt"),
    "truncated file": (("recommend", "truncated.onnx", "-t", "host"), "truncated.onnx"),
    "state dict without architecture": (("recommend", "state.pt", "-t", "host"), "--arch"),
    "wrong input shape": (("recommend", "module.pt", "-t", "host", "--input", "1x3x16x16"), "channel"),
    "unknown device": (("recommend", "module.pt", "-t", "jetson-nanno", "--input", SHAPE), "jetson-nano"),
    "empty data folder": (("recommend", "module.pt", "-t", "host", "--input", SHAPE, "--data", "empty"), "empty"),
    "unknown runtime": (("recommend", "module.pt", "-t", "host", "--input", SHAPE, "--runtime", "tensorrt"), "pytorch"),
    "labels that do not fit the head": (
        ("apply", "three.pt", "-t", "host", "--input", SHAPE, "--data", "images", "--out", "bad"), "10",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_clear_message(place, name):
    arguments, said = BAD[name]
    run = advisor(place, *arguments)
    assert run.returncode == 2, run.stdout + run.stderr
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) <= 8
    assert not (place / "bad").exists()


def test_an_impossible_limit_is_admitted_with_the_nearest_plan(place):
    run = advisor(place, "recommend", "module.pt", "-t", "host", "--input", SHAPE, "--max-latency", "0.000001ms")
    assert run.returncode == 3
    assert "binds" in run.stdout
    assert "Nearest" in run.stdout
