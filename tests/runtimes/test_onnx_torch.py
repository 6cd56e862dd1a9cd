"""ONNX files as torch modules, held against ONNX Runtime without optimisations."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from .networks import NETS, batches, float_file, int8_file, plain_outputs

pytestmark = pytest.mark.real
X = (1, 4, 6, 6)
RANDOM = np.random.default_rng(3)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def whole(*values):
    return np.array(values, np.int64)


# operation, constants behind the image, attributes
CASES = {
    "conv, uneven padding": ("Conv", [floats(6, 4, 3, 3), floats(6)], {"pads": [0, 1, 1, 2], "strides": [2, 1]}),
    "conv, same upper": ("Conv", [floats(6, 4, 3, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "conv, groups and dilation": ("Conv", [floats(8, 2, 3, 3)], {"group": 2, "dilations": [2, 2]}),
    "transposed conv": ("ConvTranspose", [floats(4, 3, 2, 2), floats(3)], {"strides": [2, 2]}),
    "matrix product": ("MatMul", [floats(6, 5)], {}),
    "max pool, padded": ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "max pool, uneven": ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}),
    "max pool, ceil": ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "average pool": ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    "average pool, padding counts": ("AveragePool", [], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1],
                                                         "count_include_pad": 1}),
    "global pool": ("GlobalAveragePool", [], {}),
    "layer norm": ("LayerNormalization", [floats(6), floats(6)], {"axis": -1, "epsilon": 1e-3}),
    "instance norm": ("InstanceNormalization", [floats(4), floats(4)], {}),
    "batch norm": ("BatchNormalization", [floats(4), floats(4), floats(4), np.abs(floats(4)) + 1], {}),
    "clip": ("Clip", [np.float32(-0.5), np.float32(0.7)], {}),
    "clip to six": ("Clip", [np.float32(0), np.float32(6)], {}),
    "slope by channel": ("PRelu", [np.abs(floats(4, 1, 1))], {}),
    "leaky": ("LeakyRelu", [], {"alpha": 0.3}),
    "elu": ("Elu", [], {"alpha": 0.7}),
    "gelu, tanh": ("Gelu", [], {"approximate": "tanh"}),
    "softmax over channels": ("Softmax", [], {"axis": 1}),
    "hard sigmoid": ("HardSigmoid", [], {"alpha": 0.3, "beta": 0.4}),
    "hard swish": ("HardSwish", [], {}),
    "mish": ("Mish", [], {}),
    "sum with a row": ("Add", [floats(6)], {}),
    "quotient": ("Div", [np.abs(floats(4, 1, 1)) + 1], {}),
    "power": ("Pow", [np.float32(2)], {}),
    "larger of two": ("Max", [floats(6)], {}),
    "mean over axes": ("ReduceMean", [whole(2, 3)], {"keepdims": 0}),
    "norm over an axis": ("ReduceL2", [whole(1)], {"keepdims": 1}),
    "reshape, copied and inferred": ("Reshape", [whole(0, 2, -1)], {}),
    "flatten": ("Flatten", [], {"axis": 2}),
    "transpose": ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    "slice with steps": ("Slice", [whole(0, 1), whole(6, 2**40), whole(2, 3), whole(2, 3)], {}),
    "slice backwards": ("Slice", [whole(-1), whole(-(2**40)), whole(3), whole(-2)], {}),
    "split": ("Split", [], {"axis": 1, "num_outputs": 1}),
    "add an axis": ("Unsqueeze", [whole(0, -1)], {}),
    "gather one": ("Gather", [np.array(2, np.int64)], {"axis": 1}),
    "gather some": ("Gather", [whole(3, 0, -1)], {"axis": 1}),
    "gather a table": ("Gather", [np.array([[0, 1], [1, 3]], np.int64)], {"axis": 1}),
    "expand": ("Expand", [whole(2, 4, 6, 6)], {}),
    "pad with ones": ("Pad", [whole(0, 0, 1, 2, 0, 0, 0, 1), np.float32(1)], {}),
    "pad by reflection": ("Pad", [whole(0, 0, 1, 2, 0, 0, 0, 1)], {"mode": "reflect"}),
    "enlarge, nearest": ("Resize", [np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)],
                         {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    "enlarge, linear": ("Resize", [np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)], {"mode": "linear"}),
    "depth to space": ("DepthToSpace", [], {"blocksize": 2}),
    "depth to space, CRD": ("DepthToSpace", [], {"blocksize": 2, "mode": "CRD"}),
}  # fmt: skip


def write(path, nodes, constants, shape=X):
    """Write a graph of one input 'x' and one output 'y'."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), path)
    return path


def in_torch(path, batch, **options):
    import torch

    from advisor.runtimes.onnx_torch import from_onnx

    module, shape = from_onnx(path, **options)
    assert shape == batch.shape
    with torch.inference_mode():
        exported = torch.export.export(module, (torch.from_numpy(batch),), strict=False).module()
        return module(torch.from_numpy(batch)).numpy(), exported(torch.from_numpy(batch)).numpy()


@pytest.mark.parametrize("case", CASES)
def test_an_operation_computes_what_onnxruntime_computes(tmp_path, case):
    kind, constants, attributes = CASES[case]
    named = {f"c{place}": value for place, value in enumerate(constants)}
    path = write(tmp_path / "one.onnx", [helper.make_node(kind, ["x", *named], ["y"], **attributes)], named)
    batch = floats(*X)
    expected = plain_outputs(path, batch)[0]
    for found in in_torch(path, batch):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_shapes_that_the_graph_computes_are_followed(tmp_path):
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", "axis"], ["row"]),
        helper.make_node("Concat", ["row", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["y"]),
    ]  # fmt: skip
    constants = {"zero": np.array(0, np.int64), "axis": whole(0), "rest": whole(-1)}
    path, batch = write(tmp_path / "shape.onnx", nodes, constants), floats(*X)
    assert all(found.shape == (1, 144) for found in in_torch(path, batch))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("form", [float_file, int8_file])
def test_a_network_computes_what_its_file_says(name, form):
    path = form(name)
    for batch in batches(3):
        expected = plain_outputs(path, batch)[0]
        # a value between two steps may round either way, and the next layer sees a whole step
        slack = 1e-5 if form is float_file else 0.05 * np.abs(expected).max()
        for found in in_torch(path, batch):
            np.testing.assert_allclose(found, expected, atol=slack)


@pytest.mark.parametrize("name", NETS)
def test_weights_quantized_in_the_graph_compute_the_same(name):
    path, batch = int8_file(name), batches(1)[0]
    stored, _ = in_torch(path, batch)
    written, _ = in_torch(path, batch, weights="quantized in the graph")
    np.testing.assert_allclose(written, stored, atol=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_without_its_quantize_nodes_a_file_computes_nearly_the_float_network(name):
    batch = batches(1)[0]
    expected = plain_outputs(float_file(name), batch)[0]
    found, _ = in_torch(int8_file(name), batch, weights="floats")
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("turned", [0, 1])
def test_flat_products_between_reshapes_become_linear_layers(tmp_path, turned):
    from advisor.runtimes.onnx_torch import from_onnx

    weight, bias = floats(6, 5), floats(5)
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["rows"]),
        helper.make_node("Gemm", ["rows", "w", "b"], ["product"], transB=turned),
        helper.make_node("Reshape", ["product", "back"], ["y"]),
    ]
    constants = {"flat": whole(24, 6), "back": whole(1, 4, 6, 5), "w": weight.T.copy() if turned else weight, "b": bias}
    path, batch = write(tmp_path / "flat.onnx", nodes, constants), floats(*X)
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.shape.CopyFrom(
        helper.make_tensor_type_proto(1, (1, 4, 6, 5)).tensor_type.shape
    )
    onnx.save(model, path)
    found, _ = in_torch(path, batch, weights="floats")
    np.testing.assert_allclose(found, batch @ weight + bias, atol=1e-5)
    module, _ = from_onnx(path, weights="floats")
    assert "Linear" in [node.kind for node in module._nodes]
    assert "Gemm" not in [node.kind for node in module._nodes]


def test_nodes_may_stand_in_any_order_but_not_in_a_circle(tmp_path):
    nodes = [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Neg", ["x"], ["a"])]
    batch = floats(*X)
    for found in in_torch(write(tmp_path / "late.onnx", nodes, {}), batch):
        np.testing.assert_array_equal(found, np.maximum(-batch, 0))
    from advisor.runtimes.onnx_torch import from_onnx

    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Neg", ["a"], ["b"])]
    with pytest.raises(ValueError, match="in a circle"):
        from_onnx(write(tmp_path / "circle.onnx", [*nodes, helper.make_node("Relu", ["a"], ["y"])], {}))


@pytest.mark.parametrize("name", NETS)
def test_files_of_16_bits_are_computed_in_32_where_all_are_to_be_floats(name, tmp_path):
    from advisor.techniques.half.apply import apply
    from advisor.techniques.half.step import Half
    from advisor.techniques.subject import Subject

    from .networks import SHAPE

    half = apply(Half(), Subject(SHAPE, tmp_path, onnx=float_file(name))).onnx
    batch = batches(1)[0]
    found, _ = in_torch(half, batch, weights="floats")
    np.testing.assert_allclose(found, plain_outputs(float_file(name), batch)[0], atol=2e-3)


def test_unknown_operations_are_named(tmp_path):
    from advisor.runtimes.onnx_torch import from_onnx

    path = write(tmp_path / "odd.onnx", [helper.make_node("NonZero", ["x"], ["y"])], {})
    with pytest.raises(ValueError, match="not translated to torch: NonZero"):
        from_onnx(path)
    node = helper.make_node("Secret", ["x"], ["y"], domain="of.mine")
    with pytest.raises(ValueError, match=r"of\.mine\.Secret"):
        from_onnx(write(tmp_path / "own.onnx", [node], {}))


def test_pooled_slices_step_through_rows_and_columns():
    import torch

    from advisor.runtimes.pnnx_slices import pooled_slice

    value = torch.from_numpy(floats(*X))
    found = pooled_slice([value, whole(0, 0), whole(6, 2**40), whole(2, 3), whole(2, 3)], {})
    np.testing.assert_array_equal(found.numpy(), value[:, :, ::2, ::3].numpy())
    kept = pooled_slice([value, whole(1), whole(5), whole(3), whole(2)], {})
    np.testing.assert_array_equal(kept.numpy(), value[..., 1:5:2].numpy())
