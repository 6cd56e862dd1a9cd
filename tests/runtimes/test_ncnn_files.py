"""The files of ncnn: lines of layers, and integer layers in place of float ones."""

import struct

import numpy as np
import onnx
import pytest

from advisor.runtimes.ncnn_int8 import Quantized, with_integers
from advisor.runtimes.ncnn_param import Param, read_param

from .networks import float_file, int8_file

TEXT = """7767517
3 4
Input                    in0                      0 1 in0
Split                    split                    1 2 in0 1 2
Convolution              conv                     1 1 1 out0 0=4 1=3 5=1 6=108 9=1
"""


def test_a_file_is_read_and_written_again():
    param = read_param(TEXT)
    assert [layer.kind for layer in param.layers] == ["Input", "Split", "Convolution"]
    assert param.layers[2].settings == {"0": "4", "1": "3", "5": "1", "6": "108", "9": "1"}
    assert param.layers[1].outputs == ("1", "2")
    assert read_param(param.text) == param
    assert param.text == TEXT


def test_the_input_line_tells_the_shape():
    param = read_param(TEXT)
    assert param.input_shape == ()
    told = param.with_input((1, 3, 20, 30))
    assert "0=30 1=20 2=3" in told.layers[0].text
    assert read_param(told.text).input_shape == (1, 3, 20, 30)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "first line"),
        ("123\n1 1\nInput in0 0 1 in0\n", "first line"),
        ("7767517\n1 1\nRelu r 0 1 x\n", "no input"),
        ("7767517\n1 1\nInput in0 0 two in0\n", "is no layer"),
        ("7767517\n1 1\nInput in0 0 3 in0\n", "lacks blobs"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        read_param(text)


@pytest.fixture
def quantized(tmp_path):
    """A convolution whose input and weight come from bytes, and the float files that pnnx would make of it."""
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    weight, scales = random.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), np.float32([0.5, 0.25, 1, 2])
    constants = {"w": weight, "ws": scales, "wz": np.zeros(4, np.int8), "xs": np.float32(0.1), "xz": np.uint8(100)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wf"], axis=0),
        helper.make_node("Conv", ["xf", "wf"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)]), tmp_path / "q.onnx")
    floats = (weight.astype(np.float32) * scales.reshape(4, 1, 1, 1)).tobytes()
    bias = np.arange(4, dtype=np.float32).tobytes()
    return tmp_path / "q.onnx", floats, bias, weight, scales


def test_a_layer_becomes_integer_with_the_scales_of_the_file(quantized):
    file, floats, bias, weight, scales = quantized
    before, after = b"before layers "[:12], b"behind layers "[:12]
    param, content = with_integers(file, read_param(TEXT), before + struct.pack("<I", 0) + floats + bias + after)
    layer = param.layers[2]
    assert layer.integer
    assert layer.settings["8"] == "2"
    body = content.removeprefix(before).removesuffix(after)
    assert body[:4] == struct.pack("<I", 0x000D4B38)
    assert body[4:112] == weight.tobytes()
    assert body[112:128] == bias
    np.testing.assert_allclose(np.frombuffer(body[128:144], np.float32), 1 / scales)
    reach = 0.1 * max(255 - 100, 100)  # 155 steps above zero
    assert struct.unpack("<f", body[144:])[0] == pytest.approx(127 / reach)


def test_outputs_of_a_group_share_the_largest_scale():
    one = Quantized(np.int8([[100, -50], [40, 127], [10, 20], [0, -127]]), np.float32([0.5, 1, 2, 0.5]), 3.0)
    shared = one.shared(2)
    np.testing.assert_array_equal(shared.bytes_, np.int8([[50, -25], [40, 127], [10, 20], [0, -32]]))
    np.testing.assert_array_equal(shared.scales, np.float32([1, 2]))
    assert one.shared(4).bytes_.tolist() == one.bytes_.tolist()


@pytest.mark.real
def test_grouped_convolutions_compute_what_they_do_in_onnxruntime(tmp_path):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    from advisor import runtimes
    from advisor.runtimes.agreement import compare_outputs

    file = int8_file("grouped")
    ncnn, reference = runtimes.get("ncnn"), runtimes.get("onnxruntime")
    made = ncnn.convert(file, tmp_path / "net.param")
    assert ncnn.placement(made).arithmetic == {"s8s8": 3}
    same = compare_outputs(reference.load(file), ncnn.load(made))
    assert same.mean < 0.05 * same.scale


def test_a_layer_whose_weights_were_changed_stays_float(quantized):
    file, floats, bias, _, _ = quantized
    content = struct.pack("<I", 0) + floats[:-4] + b"\0\0\0\1" + bias
    assert with_integers(file, read_param(TEXT), content) == (read_param(TEXT), content)


@pytest.mark.real
def test_float_files_stay_as_they_are():
    assert with_integers(float_file("convolutional"), Param(()), b"bytes") == (Param(()), b"bytes")


@pytest.mark.real
def test_every_convolution_of_a_network_becomes_integer(tmp_path):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    from advisor import runtimes

    made = runtimes.get("ncnn").convert(int8_file("convolutional"), tmp_path / "net.param")
    placement = runtimes.get("ncnn").placement(made)
    assert placement.arithmetic == {"s8s8": 5}
    assert made.with_suffix(".bin").stat().st_size < 12_000


@pytest.mark.real
def test_batches_are_refused(tmp_path):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    from advisor import runtimes
    from advisor.errors import NotApplicable

    from .networks import convolutional

    with pytest.raises(NotApplicable, match="single images, not batches of 2"):
        runtimes.get("ncnn").export(convolutional(), (2, 3, 16, 16), tmp_path / "net.param")
    assert list(tmp_path.iterdir()) == []
