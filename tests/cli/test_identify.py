import numpy as np
import onnx
import pytest
import timm
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

pytestmark = pytest.mark.real
INPUTS = (("image", 3), ("mask", 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    torch.save(timm.create_model("mobilenetv3_small_050", num_classes=7).state_dict(), place / "weights.pth")
    torch.save(nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(5, 6)).state_dict(), place / "own.pth")
    weight = numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["a"]), helper.make_node("Mul", ["a", "mask"], ["y"])],
        "net",
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", c, "h", "w"])
            for n, c in (("image", 3), ("mask", 1))
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [weight],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), place / "two.onnx")
    return place


def test_weights_are_shown_for_what_they_are(invoke, folder):
    shown = invoke("identify", folder / "weights.pth").stdout
    assert "mobilenetv3_small_050 (exact but for 7 classes)" in shown
    assert "classification, 7 classes" in shown
    assert "prune and fine-tune it here                 yes" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_the_json_holds_the_same(invoke_json, folder):
    told = invoke_json("identify", folder / "weights.pth")
    assert told["recognised"] == "exact but for 7 classes"
    assert (told["task"], told["classes"], told["head"]) == ("classification", 7, "classifier")
    assert next(iter(told["sha256"].values()))
    assert {a["action"]: a["possible"] for a in told["abilities"]} == dict.fromkeys(
        ("profile", "preview", "quantize", "prune"), True
    )


def test_weights_of_no_known_network_are_an_answer_too(invoke, invoke_json, folder):
    shown = invoke("identify", folder / "own.pth").stdout
    assert "not recognised" in shown
    assert "--arch" in shown
    told = invoke_json("identify", folder / "own.pth")
    assert (told["format"], told["tensors"], told["arch"]) == ("weights", 4, None)


def test_recommending_for_them_is_refused_with_the_way_out(invoke, folder):
    result = invoke("recommend", folder / "own.pth", "-t", "jetson-nano")
    assert result.exit_code == 2
    assert "advisor identify" in result.stderr


def test_several_inputs_are_given_by_name(invoke_json, folder):
    told = invoke_json("identify", folder / "two.onnx", "--input", "mask=1x1x8x8", "--input", "image=1x3x8x8")
    assert [(i["name"], i["shape"]) for i in told["inputs"]] == [("image", [1, 3, 8, 8]), ("mask", [1, 1, 8, 8])]
    possible = {a["action"] for a in told["abilities"] if a["possible"]}
    assert possible == {"profile", "preview"}


@pytest.mark.parametrize("text", ["=1x3x8x8", "image=1x3xax8", "1x3x8x8:float33"])
def test_an_input_that_cannot_be_read_is_refused(invoke, folder, text):
    result = invoke("identify", folder / "two.onnx", "--input", text)
    assert result.exit_code == 2
    assert "1x3x8x8" in result.stderr or "float33" in result.stderr or "not a shape" in result.stderr


def test_trust_says_what_it_means(invoke, folder):
    result = invoke("identify", folder / "weights.pth", "--trust")
    assert "with your rights" in result.stderr


def test_what_a_form_does_not_allow_is_said_with_the_recommendation(invoke, folder):
    shown = invoke("recommend", folder / "two.onnx", "--input", "1x3x8x8", "--input", "1x1x8x8", "-t", "host").stdout
    assert "ONNX, opset 18" in shown
    assert "no quantize: images are one input, this network takes 2" in " ".join(shown.split())
