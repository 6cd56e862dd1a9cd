from pathlib import Path

import pytest

from advisor.errors import KnowledgeError
from advisor.resources import data_dir
from advisor.runtimes import recipes
from advisor.runtimes.recipes import Recipe, load_recipe, max_opset, recipe
from advisor.schema import Device, ExecPath, Plan
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8

NAMES = sorted(path.stem for path in (data_dir("knowledge") / "recipes").glob("*.yaml"))
FILES = {"onnx": "float.onnx", "shipped": "model.onnx", "calibration": "images", "shape": "1,3,8,8", "name": "model"}


def board(id, runtime):
    return Device(
        id=id,
        name=f"the {id}",
        vendor="x",
        kind="sbc",
        paths=(ExecPath(runtime=runtime, unit="cpu", precisions=("fp32",)),),
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [(), (Half(),), (StaticInt8(),)], ids=["fp32", "fp16", "int8"])
def test_every_recipe_fills_for_every_precision(name, steps):
    lines = recipe(Plan(steps=steps, runtime=name), board("board", name), FILES)
    assert load_recipe(name).runtime == name
    assert "<" not in "".join(line for line in lines if "{" in line or "}" in line)
    assert not any("{onnx}" in line or "{shipped}" in line for line in lines)
    assert lines[-1].startswith("Sources: ")


def test_the_jetson_nano_builds_a_half_engine_from_the_float_file_of_opset_13():
    nano = board("jetson-nano", "tensorrt")
    plan = Plan(steps=(Half(),), runtime="tensorrt", unit="gpu")
    lines = recipe(plan, nano, FILES)
    assert any(line.startswith("$ trtexec --onnx=float.onnx --fp16 --saveEngine=") for line in lines)
    assert not any("--int8" in line for line in lines)
    assert "TensorRT 8.2" in lines[0]
    assert max_opset(plan, nano) == 13
    assert max_opset(plan, board("jetson-orin-nano", "tensorrt")) == 17


def test_the_edge_tpu_recipe_says_which_conversion_remains():
    lines = recipe(Plan(steps=(StaticInt8(),), runtime="edgetpu", unit="npu"), board("coral", "edgetpu"), FILES)
    assert any(
        line.startswith("Remains to be done: converting the float ONNX file to a full-int8 .tflite") for line in lines
    )
    assert any(line.startswith("$ edgetpu_compiler") for line in lines)
    assert any("-i float.onnx" in line for line in lines)


def test_a_runtime_without_recipe_is_named():
    lines = recipe(Plan(runtime="nowhere"), board("b", "nowhere"), FILES)
    assert "no deployment recipe" in lines[0]
    assert max_opset(Plan(runtime="nowhere"), board("b", "nowhere")) is None


def test_unknown_placeholders_are_refused(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "x.yaml").write_text(
        "runtime: x\ntitle: X\naccepts: a\nremains: b\nsteps: [{run: 'go {model}'}]\nsources: [{ref: r}]\n"
    )
    monkeypatch.setattr(recipes, "data_dir", lambda name: Path(tmp_path))
    with pytest.raises(KnowledgeError, match=r"unknown placeholder \{model\}"):
        load_recipe("x")


def test_file_names_with_braces_stay_as_they_are():
    lines = recipe(Plan(runtime="pytorch"), board("b", "pytorch"), {**FILES, "shipped": "a{b}.pt2"})
    assert any("a{b}.pt2" in line for line in lines)


def test_every_recipe_names_sources_and_says_which_were_only_recalled():
    found = [source for name in NAMES for source in load_recipe(name).sources]
    assert all(source.ref for source in found)
    assert isinstance(load_recipe("tensorrt"), Recipe)
