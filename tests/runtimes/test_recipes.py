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
        line.startswith("Remains to be done: converting the int8 ONNX file to a full-int8 .tflite") for line in lines
    )
    assert any("advisor export RUN_DIR --runtime tflite" in line for line in lines)
    assert any(line.startswith("$ edgetpu_compiler") for line in lines)
    assert any("-i float.onnx" in line for line in lines)


@pytest.mark.parametrize("name", ["openvino", "ncnn", "executorch", "tflite"])
def test_files_that_were_made_here_need_no_conversion(name):
    plan, suffix = Plan(steps=(StaticInt8(),), runtime=name), load_recipe(name).suffix
    made = recipe(plan, board("host", name), {**FILES, "shipped": f"model{suffix}"})
    unmade = recipe(plan, board("pi", name), FILES)
    assert any(line.startswith(f"Remains to be done: nothing; copy model{suffix}") for line in made)
    assert not any("advisor export" in line for line in made)
    assert any(f"$ advisor export RUN_DIR --runtime {name}" in line for line in unmade)


@pytest.mark.parametrize(
    ("unit", "steps", "has", "lacks"),
    [
        ("gpu", (StaticInt8(),), ["--int8 --fp16", "--best --calib=model.cache", "polygraphy"], ["--useDLACore"]),
        ("dla", (StaticInt8(),), ["--useDLACore=0 --allowGPUFallback", "--calib=model.cache"], ["--best"]),
        ("dla", (Half(),), ["--fp16 --useDLACore=0"], ["--calib", "--int8"]),
        ("gpu", (Half(),), ["--fp16 --saveEngine", "--loadEngine=model-fp16.engine"], ["--calib", "--useDLACore"]),
        ("gpu", (), ["--noTF32", "--loadEngine=model-fp32.engine"], ["--fp16", "--int8"]),
    ],
)
def test_tensorrt_commands_follow_unit_and_precision(unit, steps, has, lacks):
    lines = recipe(Plan(steps=steps, runtime="tensorrt", unit=unit), board("jetson-orin", "tensorrt"), FILES)
    commands = " ".join(line for line in lines if line.startswith("$ "))
    assert all(word in commands for word in has)
    assert not any(word in commands for word in lacks)


@pytest.mark.parametrize(
    ("runtime", "device", "said"),
    [
        ("stm32cubeai", "stm32n6", "--st-neural-art"),
        ("stm32cubeai", "stm32mp257", "8 bits per tensor"),
        ("rknn", "rv1126", "rknn-toolkit2 does not serve"),
        ("vela", "imx93", "--memory-mode Shared_Sram"),
        ("hailort", "hailo-8", "--hw-arch"),
        ("qnn", "qcs6490", "qnn-context-binary-generator"),
        ("coreml", "apple-m1", "linear_quantize_activations"),
    ],
)
def test_recipes_name_what_their_devices_ask_for(runtime, device, said):
    lines = recipe(Plan(steps=(StaticInt8(),), runtime=runtime), board(device, runtime), FILES)
    assert any(said in line for line in lines)


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
