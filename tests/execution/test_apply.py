import copy
import json

import numpy as np
import pytest

from advisor.execution.journal import weights_digest
from advisor.schema import Metric, Plan, RunRecord
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8

from .digits import digits_dir, loaded, trained
from .journeys import pruned_int8, run

pytestmark = pytest.mark.real


def test_pruned_and_quantized_model_is_smaller_and_nearly_as_good():
    record, _out = pruned_int8()
    files = {a.file: a for a in record.artefacts}
    assert files["model.onnx"].bytes < 0.5 * files["baseline.onnx"].bytes
    assert files["float.onnx"].bytes < files["baseline.onnx"].bytes
    assert record.accuracy["original"] > 90
    assert record.accuracy["original"] - record.accuracy["shipped"] < 8
    assert {m.metric for m in record.measurements} == set(Metric) - {Metric.ENERGY, Metric.FLASH, Metric.THROUGHPUT}
    assert record.environment["heavy_int8"] != "0"


def test_the_real_model_equals_the_preview():
    record, _ = pruned_int8()
    assert [check.quantity for check in record.checks] == ["macs", "params"]
    assert all(check.agrees for check in record.checks)


def test_the_record_is_stored_and_reads_back_equal():
    record, out = pruned_int8()
    stored = RunRecord.model_validate_json((out / "run.json").read_text())
    assert stored == record
    assert {p.name for p in out.iterdir()} == {a.file for a in record.artefacts} | {"run.json"}
    assert not list(out.parent.glob(".out*"))


def test_the_original_is_left_alone():
    before = copy.deepcopy(trained().state_dict())
    pruned_int8()
    assert trained()[0].out_channels == 16
    assert all(np.array_equal(before[k], v) for k, v in trained().state_dict().items())


def test_the_pruned_module_loads_again_and_computes_what_the_float_file_computes():
    import torch

    from advisor import runtimes
    from advisor.execution import load_pruned

    _, out = pruned_int8()
    module = load_pruned(out, trained())
    assert module[0].out_channels == 8
    assert not module.training
    batch = np.random.default_rng(0).standard_normal((1, 1, 16, 16)).astype(np.float32)
    with torch.inference_mode():
        got = module(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(got, runtimes.get("onnxruntime").load(out / "float.onnx")(batch), atol=1e-4)


def test_the_splits_of_the_record_are_those_of_the_data():
    record, _ = pruned_int8()
    assert 0.24 < record.data.test / 1797 < 0.26
    assert record.data.train + record.data.selection + record.data.calibration + record.data.test == 1797
    assert record.measurements[-1].n == record.data.test


def test_half_halves_the_file_and_says_that_the_cpu_emulates_it():
    record, _ = run(Plan(steps=(Half(),), runtime="onnxruntime"))
    files = {a.role: a for a in record.artefacts}
    assert files["shipped"].bytes < 0.65 * files["baseline"].bytes
    assert files["shipped"].precision == "fp16"
    assert abs(record.accuracy["shipped"] - record.accuracy["original"]) < 1
    assert any("emulates fp16" in note for note in record.notes)


def test_changing_nothing_runs_in_pytorch_and_changes_nothing(monkeypatch):
    from advisor.measurement.memory import MemoryUse

    monkeypatch.setattr("advisor.execution.trials.peak_memory", lambda *_: MemoryUse((800.0,), 700.0))
    record, _ = run(Plan(runtime="pytorch"))
    files = {a.role: a for a in record.artefacts}
    assert files["shipped"].sha256 == files["baseline"].sha256
    assert files["shipped"].format == "pt2"
    assert record.accuracy["agreement"] == 100
    assert record.environment["runtime"] == "pytorch"


def test_an_onnx_file_is_quantized_without_torch(tmp_path):
    from advisor import runtimes

    source = runtimes.get("onnxruntime").export(trained(), (1, 1, 16, 16), tmp_path / "net.onnx")
    model = loaded(module=None, onnx_path=source, format="onnx")
    object.__setattr__(model, "module", None)
    record, out = run(Plan(steps=(StaticInt8(signedness="u8s8"),), runtime="onnxruntime"), model=model)
    assert (out / "baseline.onnx").read_bytes() == source.read_bytes()
    assert record.accuracy["original"] - record.accuracy["shipped"] < 2


def test_an_onnx_file_with_its_weights_beside_it_ships_as_one_file(tmp_path):
    import onnx

    from advisor import runtimes

    source = runtimes.get("onnxruntime").export(trained(), (1, 1, 16, 16), tmp_path / "whole.onnx")
    beside = tmp_path / "net.onnx"
    onnx.save(onnx.load(source), beside, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    model = loaded(module=None, onnx_path=beside, format="onnx")
    object.__setattr__(model, "module", None)
    record, out = run(Plan(steps=(StaticInt8(signedness="u8s8"),), runtime="onnxruntime"), model=model)
    assert (out / "baseline.onnx").stat().st_size == pytest.approx(source.stat().st_size, rel=0.01)
    assert record.accuracy["original"] - record.accuracy["shipped"] < 2
    assert weights_digest(None, beside) == record.model_digest
    content = bytearray((tmp_path / "net.onnx.data").read_bytes())
    content[-1] ^= 1
    (tmp_path / "net.onnx.data").write_bytes(content)
    assert weights_digest(None, beside) != record.model_digest, "other weights are another model"


def test_another_target_gets_artefact_and_recipe_and_a_warning(tmp_path):
    from advisor.schema import Device, ExecPath

    nano = Device(
        id="jetson-nano",
        name="Jetson Nano",
        vendor="NVIDIA",
        kind="gpu-soc",
        paths=(ExecPath(runtime="tensorrt", unit="gpu", precisions=("fp32", "fp16")),),
    )
    record, out = run(Plan(steps=(Half(),), runtime="tensorrt", unit="gpu"), device=nano)
    import onnx

    assert not record.on_this_machine
    assert "still predictions" in record.notes[0]
    assert any(line.startswith("$ trtexec --onnx=baseline.onnx --fp16") for line in record.recipe)
    assert onnx.load(out / "baseline.onnx").opset_import[0].version == 13
    assert "trtexec" in (out / "recipe.md").read_text()


def test_a_run_replaces_an_older_run(tmp_path, host):
    from advisor.execution import apply_plan

    plan, out = Plan(runtime="onnxruntime"), tmp_path / "run"
    out.mkdir()
    (out / "run.json").write_text("{}")
    (out / "note.txt").write_text("old")
    second = apply_plan(plan, loaded(), data_dir=None, out=out, device=host)
    assert "accuracy was not measured" in " ".join(second.notes)
    assert not (out / "note.txt").exists()
    assert json.loads((out / "run.json").read_text())["created"] == second.created


def test_digits_folder_stays_as_it_was():
    assert len(list(digits_dir().rglob("*.png"))) == 1797
