"""Command-line tools are stood in for by scripts that print what the real ones print (versions named beside it)."""

import json
import sys

import pytest

from advisor.onboard.kit import BOARD

# TensorRT 8.5 and 10.3, OpenVINO 2024 and 2025, ncnn 20240820
TRTEXEC = """[I] === Performance summary ===
[I] Throughput: 1190.95 qps
[I] Latency: min = 0.861 ms, max = 1.204 ms, mean = 0.872 ms, median = 0.869 ms, percentile(90%) = 0.88 ms
[I] Enqueue Time: min = 0.1 ms, max = 0.2 ms, mean = 0.15 ms, median = 0.151 ms, percentile(90%) = 0.16 ms
[I] GPU Compute Time: min = 0.82 ms, max = 1.1 ms, mean = 0.83 ms, median = 0.825 ms, percentile(90%) = 0.84 ms
&&&& PASSED TensorRT.trtexec [TensorRT v8502] # trtexec"""
BENCHMARK_APP = """[Step 11/11] Dumping statistics report
[ INFO ] Execution Devices:['CPU']
[ INFO ] Count:            100 iterations
[ INFO ] Duration:         500.00 ms
[ INFO ] Latency:
[ INFO ]    Median:        4.20 ms
[ INFO ]    Average:       4.31 ms
[ INFO ]    Min:           3.90 ms
[ INFO ]    Max:           9.01 ms
[ INFO ] Throughput:   236.12 FPS"""
BENCHNCNN = """loop_count = 8
num_threads = 1
powersave = 0
          model.param  min =    5.20  max =    5.90  avg =    5.41"""


@pytest.fixture
def backends(monkeypatch):
    monkeypatch.syspath_prepend(str(BOARD))
    import backends as found

    yield found
    sys.modules.pop("backends", None)


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Put a program into the path that says something and notes how it was called."""

    def make(name, said, status=0):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\necho \"$@\" >> '{tmp_path}/calls'\ncat <<'END'\n{said}\nEND\nexit {status}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return tmp_path / "calls"

    return make


ARTEFACT = {"precision": "int8", "input_shape": [1, 3, 32, 64]}


@pytest.mark.parametrize(
    ("name", "said", "ms", "called"),
    [
        ("trtexec", TRTEXEC, 0.869, "--int8"),
        ("benchmark_app", BENCHMARK_APP, 4.20, "-nthreads 2"),
        ("benchncnn", BENCHNCNN, 5.41, "8 2 0 -1 0 param=model.onnx shape=[64,32,3]"),
    ],
)
def test_a_tool_is_called_and_its_time_understood(backends, tool, name, said, ms, called):
    calls = tool(name, said)
    backend = next(one for one in backends.ALL if one.name == name)
    assert backend.available()
    assert backend.open("model.onnx", ARTEFACT, 2)() == ms
    assert called in calls.read_text()


@pytest.mark.parametrize(("said", "status"), [("nothing of use", 0), (TRTEXEC, 1)])
def test_a_tool_that_fails_or_says_no_time_stops_the_measurement(backends, tool, said, status):
    tool("trtexec", said, status)
    backend = next(one for one in backends.ALL if one.name == "trtexec")
    with pytest.raises(SystemExit, match="trtexec"):
        backend.open("model.onnx", ARTEFACT, 1)()


def test_trtexec_says_its_version(backends, tool):
    tool("trtexec", TRTEXEC)
    assert next(one for one in backends.ALL if one.name == "trtexec").version() == "8502"


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        ("tensorrt", ("trtexec",), "trtexec"),
        ("openvino", ("trtexec", "benchmark_app"), "benchmark_app"),
        ("openvino", (), "onnxruntime"),
        ("onnxruntime", ("trtexec", "benchmark_app"), "onnxruntime"),
    ],
)
def test_the_runtime_of_the_plan_comes_first(backends, tool, wanted, there, expected):
    for name in ("sh", *there):
        tool(name, "")
    kit = {"runtime": wanted, "artefacts": [{"format": "onnx"}]}
    assert backends.choose(kit).name == expected
    assert backends.choose(kit, "onnxruntime").name == "onnxruntime"


def test_a_board_without_a_fitting_runtime_says_what_would_fit(backends, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"no runtime for \.xml files; they run with: benchmark_app"):
        backends.choose({"runtime": "openvino", "artefacts": [{"format": "xml"}]})


def test_ncnn_runs_a_net_of_two_files(backends, tmp_path):
    pytest.importorskip("ncnn")
    import numpy as np

    (tmp_path / "model.param").write_text(
        "7767517\n2 2\nInput input 0 1 in0 0=8 1=8 2=3\nConvolution conv 1 1 in0 out0 0=4 1=3 4=1 5=1 6=108\n"
    )
    weights = np.random.default_rng(0).standard_normal(108 + 4).astype(np.float32)
    (tmp_path / "model.bin").write_bytes(b"\0\0\0\0" + weights.tobytes())
    backend = next(one for one in backends.ALL if one.name == "ncnn")
    run = backend.open(str(tmp_path / "model.param"), {"input_shape": [1, 3, 8, 8]}, 1)
    run()
    assert backend.version()[0].isdigit()


def test_integer_weights_alone_are_folded_as_advisor_does(backends, tmp_path, small_run):
    run = backends.OnnxRuntime().open(str(small_run / "model.onnx"), {}, 1)
    assert run()[0].shape == (1, 256)


def test_results_name_the_tool_and_its_unit(backends, small_run, tmp_path, tool, monkeypatch):
    from .test_kit import unpacked

    tool("trtexec", TRTEXEC)
    kit = unpacked(small_run, tmp_path)
    monkeypatch.syspath_prepend(str(kit))
    monkeypatch.setattr(sys, "argv", ["measure.py", "--runtime", "trtexec"])
    import runpy

    runpy.run_path(str(kit / "measure.py"), run_name="__main__")
    results = json.loads((kit / "results.json").read_text())
    assert (results["runtime"], results["used"], results["unit"]) == ("tensorrt", "trtexec", "gpu")
    assert results["artefacts"][0]["median_ms"] == 0.869
    assert results["artefacts"][0]["runs_per_round"] is None
