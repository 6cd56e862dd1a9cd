"""ONNX files that lie or point outside; each is refused with its reason before a library follows it."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.profiling import profile_onnx


def conv(weight=None, axes=(1, 3, 8, 8), extra=()):
    weight = weight if weight is not None else numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"]), *extra]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def outside(**entries):
    """A kernel whose data lie in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 3, 1, 1], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def saved(tmp_path, model, name="net.onnx"):
    path = tmp_path / name
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../secret.bin", "a/../../secret.bin", "..\\secret.bin", "", "link.bin"]
)
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    os.symlink(tmp_path / "secret.bin", folder / "link.bin")
    with pytest.raises(ModelLoadError, match="outside its folder"):
        load(saved(folder, conv(outside(location=location))))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"location": "missing.bin"}, "which is not there"),
        ({"location": "w.bin", "offset": 64}, "asks for bytes 64 to 88 of 'w.bin', which has 64"),
        ({"location": "w.bin", "length": 4}, "the tensor takes 24"),
        ({"location": "w.bin", "offset": -8}, "asks for bytes"),
        ({"location": "w.bin", "offset": "many"}, "asks for bytes"),
        ({"location": "w.bin", "length": 10**15}, "asks for bytes"),
    ],
)
def test_weights_beside_the_file_must_be_all_there(tmp_path, entries, message):
    (tmp_path / "w.bin").write_bytes(bytes(64))
    with pytest.raises(ModelLoadError, match=message):
        load(saved(tmp_path, conv(outside(**entries))))


def test_weights_in_attributes_and_subgraphs_are_checked_too(tmp_path):
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=outside(location="/etc/passwd"))], "g", [], []
    )
    node = helper.make_node("If", ["cond"], ["z"], then_branch=inner, else_branch=inner)
    with pytest.raises(ModelLoadError, match="outside its folder"):
        load(saved(tmp_path, conv(extra=[node])))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (numpy_helper.from_array(np.full((2, 3, 1, 1), np.nan, np.float32), "w"), r"not numbers \(6 NaN\)"),
        (numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float64), "w"), "float64"),
        (numpy_helper.from_array(np.ones((2, 3, 1, 1), np.complex64), "w"), "complex"),
        (TensorProto(name="w", data_type=1, dims=[2, 3, 1, 1], raw_data=b"1234"), "4 bytes for a tensor of 24"),
        (TensorProto(name="w", data_type=1, dims=[2**40, 3, 1, 1], raw_data=b"1234"), "impossible shape"),
        (TensorProto(name="w", data_type=1, dims=[-2, 3, 1, 1], raw_data=b""), "impossible shape"),
    ],
    ids=["nan", "float64", "complex", "short", "huge", "negative"],
)
def test_weights_that_no_device_can_run_are_refused(tmp_path, weight, message):
    with pytest.raises(ModelLoadError, match=message):
        load(saved(tmp_path, conv(weight)))


def test_an_allocation_without_measure_ends_in_an_error(tmp_path):
    """A graph of a few bytes that makes a tensor of 2**40 elements out of a shape that only a run can tell."""
    big = numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "big")
    kept = numpy_helper.from_array(np.array([True, True]), "kept")
    nodes = [
        helper.make_node("Compress", ["big", "kept"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["fill"]),
        helper.make_node("Compress", ["fill", "kept"], ["few"], axis=0),
        helper.make_node("Add", ["x", "few"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 1))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [big, kept],
    )
    path = saved(tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))
    with pytest.raises(ModelLoadError):
        profile_onnx(path, input_shape=(1, 1))


def test_a_file_without_operations_is_refused(tmp_path):
    path = tmp_path / "empty.onnx"
    onnx.save(helper.make_model(helper.make_graph([], "g", [], [])), path)
    with pytest.raises(ModelLoadError, match="holds no operations"):
        load(path)


def test_several_inputs_take_their_shapes_by_name_or_in_order(tmp_path):
    weight = numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["a"]), helper.make_node("Mul", ["a", "mask"], ["y"])],
        "net",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 1, "h", "w"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [weight],
    )
    path = saved(tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))
    by_name = load(path, input_shape={"mask": [1, 1, 4, 4], "image": [1, 3, 4, 4]})
    in_order = load(path, input_shape=[[1, 3, 4, 4], [1, 1, 4, 4]])
    assert by_name.inputs == in_order.inputs
    assert [i.name for i in by_name.inputs] == ["image", "mask"]
    with pytest.raises(ModelLoadError, match=r"no input 'msk'.*Did you mean mask"):
        load(path, input_shape={"msk": [1, 1, 4, 4]})
    with pytest.raises(ModelLoadError, match=r"open axes: 2 \(h\), 3 \(w\)"):
        load(path, input_shape=(3, 4, 4))
    with pytest.raises(ModelLoadError, match="3 input shapes were given"):
        load(path, input_shape=[[1, 3, 4, 4]] * 3)
