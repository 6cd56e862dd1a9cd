import ast
import json
import os
import subprocess
import sys
import zipfile

import pytest

from advisor.errors import GoalError, NotApplicable, RunError
from advisor.onboard.judge import verify_measured
from advisor.onboard.kit import BOARD, described, write_kit
from advisor.schema import Artefact, Metric, RunRecord

from .runs import write_run

ON_THE_BOARD = sorted(BOARD.glob("[!_]*.py"))


def unpacked(run_dir, tmp_path, **options):
    write_kit(run_dir, tmp_path / "kit.zip", **options)
    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "kit"


def on_the_board(kit, *arguments):
    """Run the kit as the board would: from another folder, with nothing of this checkout on the path."""
    command = [sys.executable, str(kit / "measure.py"), *arguments]
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd="/", env=bare, capture_output=True, text=True, check=False)


def test_the_kit_holds_all_that_the_board_needs(small_run, tmp_path):
    kit = unpacked(small_run, tmp_path)
    assert {path.name for path in kit.iterdir()} == {
        "measure.py", "backends.py", "README.md", "kit.json", "baseline.onnx", "model.onnx"
    }  # fmt: skip
    assert (kit / "model.onnx").read_bytes() == (small_run / "model.onnx").read_bytes()
    readme = (kit / "README.md").read_text()
    assert "onnxruntime" in readme
    assert "| `model.onnx` | shipped | int8 |" in readme
    assert "{" not in readme


def test_the_same_run_gives_the_same_program_and_description(small_run, tmp_path):
    sums = []
    for name in ("a", "b"):
        write_kit(small_run, tmp_path / name / "kit.zip")
        with zipfile.ZipFile(tmp_path / name / "kit.zip") as archive:
            sums.append([(info.filename, info.CRC) for info in archive.infolist()])
    assert sums[0] == sums[1]


@pytest.mark.parametrize("path", ON_THE_BOARD, ids=lambda path: path.name)
def test_what_runs_on_the_board_is_python_3_8_and_the_standard_library(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name.split(".")[0] for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {(node.module or "").split(".")[0] for node in top if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names | {"backends"}
    assert "annotations" in {alias.name for node in top for alias in node.names}, "3.8 reads no new annotations"
    newer = {"removeprefix", "removesuffix", "is_relative_to", "file_digest", "pairwise", "strict"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    assert not used & newer
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]


def test_the_kit_measures_and_its_results_are_judged(small_run, tmp_path, quick):
    kit = unpacked(small_run, tmp_path)
    done = on_the_board(kit)
    assert done.returncode == 0, done.stderr
    assert "measuring with onnxruntime" in done.stdout
    results = json.loads((kit / "results.json").read_text())
    assert [len(one["rounds_ms"]) for one in results["artefacts"]] == [9, 9]
    assert results["clock"] == "cpu"
    shipped = next(one for one in results["artefacts"] if one["role"] == "shipped")
    assert 0 < shipped["runtime_mb"] < shipped["peak_mb"]
    found = verify_measured(small_run, kit / "results.json")
    assert {v.metric: v.hit for v in found.verdicts if v.metric in (Metric.SIZE, Metric.MEMORY)} == {
        Metric.SIZE: True, Metric.MEMORY: True
    }  # fmt: skip
    latency = next(m for m in found.measurements if m.metric is Metric.LATENCY)
    assert latency.value == shipped["median_ms"]


def test_several_threads_are_timed_by_the_wall_clock(small_run, tmp_path, quick):
    kit = unpacked(small_run, tmp_path)
    assert on_the_board(kit, "--threads", "2", "--rounds", "7").returncode == 0
    results = json.loads((kit / "results.json").read_text())
    assert (results["clock"], results["threads"], len(results["artefacts"][0]["rounds_ms"])) == ("wall", 2, 7)


@pytest.mark.parametrize(
    ("arguments", "harm", "said"),
    [
        ((), lambda kit: (kit / "model.onnx").write_bytes(b"x"), "model.onnx is not the file that was packed"),
        (("--rounds", "3"), None, "at least 7 rounds"),
        (("--runtime", "ncnn"), None, "no runtime for .onnx files"),
    ],
)
def test_the_kit_refuses_what_it_cannot_measure(small_run, tmp_path, arguments, harm, said):
    kit = unpacked(small_run, tmp_path)
    if harm:
        harm(kit)
    done = on_the_board(kit, *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert not (kit / "results.json").exists()


@pytest.mark.parametrize(
    ("out", "options", "error", "said"),
    [("kit.tar", {}, GoalError, "no .zip"), ("kit.zip", {"rounds": 3}, GoalError, "too few")],
)
def test_bad_orders_write_nothing(small_run, tmp_path, out, options, error, said):
    with pytest.raises(error, match=said):
        write_kit(small_run, tmp_path / out, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_halfway_leaves_no_archive(small_run, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "write", stop)
    (tmp_path / "kit.zip").write_bytes(b"the one before")
    with pytest.raises(KeyboardInterrupt):
        write_kit(small_run, tmp_path / "kit.zip")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kit.zip", b"the one before")]


def with_files(run_dir, *artefacts) -> RunRecord:
    fields = json.loads((run_dir / "run.json").read_text())
    return RunRecord.model_validate(fields).model_copy(update={"artefacts": artefacts})


def file(name, role="shipped"):
    return Artefact(role=role, file=name, format=name.rpartition(".")[2], bytes=1, sha256="0" * 64)


def test_files_of_two_parts_travel_together(small_run):
    record = with_files(small_run, file("model.param"), file("model.bin", "weights"))
    assert described(record)["artefacts"][0]["companions"] == {"model.bin": "0" * 64}
    with pytest.raises(NotApplicable, match=r"no model\.bin"):
        described(with_files(small_run, file("model.param")))


def test_what_only_advisor_opens_is_refused(small_run):
    with pytest.raises(NotApplicable, match=r"model\.pt2 runs in onnxruntime with advisor alone"):
        described(with_files(small_run, file("model.pt2")))


def test_a_device_without_an_operating_system_takes_no_kit(tmp_path):
    run_dir = write_run(tmp_path / "run", device="ethos-u55-128")
    with pytest.raises(NotApplicable, match="no operating system") as raised:
        write_kit(run_dir, tmp_path / "kit.zip")
    assert "advisor estimate" in raised.value.remedy
    assert not (tmp_path / "kit.zip").exists()


def test_a_damaged_run_is_not_packed(tmp_path):
    run_dir = write_run(tmp_path / "run")
    (run_dir / "model.onnx").write_bytes(b"x")
    with pytest.raises(RunError, match="damaged"):
        write_kit(run_dir, tmp_path / "kit.zip")


@pytest.mark.parametrize(("threads", "expected"), [(None, 4), (2, 2)])
def test_the_kit_uses_the_threads_that_were_predicted_for(tmp_path, threads, expected):
    run_dir = write_run(tmp_path / "run", threads="4")
    assert write_kit(run_dir, tmp_path / "kit.zip", threads=threads)["threads"] == expected
