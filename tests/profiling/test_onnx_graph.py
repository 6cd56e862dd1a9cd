import numpy as np
import pytest
from onnx import TensorProto, helper

from advisor.errors import ModelLoadError
from advisor.profiling import profile_onnx
from advisor.schema import OpKind

from .graphs import F, floats, node, only, write


def test_a_convolution_with_everything(profiled):
    conv = node("Conv", "x w b", strides=[2, 2], pads=[1, 1, 1, 1], dilations=[1, 1])
    workload = profiled([conv], {"w": floats(4, 3, 3, 3), "b": floats(4)})
    op = only(workload, OpKind.CONV)
    assert workload.macs == 16 * 4 * 27
    assert op.weights == ("w", "b")
    assert op.attrs == {
        "kernel": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1),
        "groups": 1, "in_channels": 3, "out_channels": 4,
    }  # fmt: skip
    assert {w.name: (w.role, w.elements) for w in workload.weights} == {"w": ("weight", 108), "b": ("bias", 4)}


@pytest.mark.parametrize(
    ("kernel", "group", "kind"),
    [((6, 3, 1, 1), 1, OpKind.CONV_1X1), ((3, 1, 3, 3), 3, OpKind.CONV_DEPTHWISE), ((6, 3, 3, 3), 1, OpKind.CONV)],
)
def test_convolutions_are_sorted_by_kernel_and_groups(profiled, kernel, group, kind):
    assert only(profiled([node("Conv", "x w", group=group)], {"w": floats(*kernel)}), kind).attrs["groups"] == group


def test_same_padding_is_worked_out(profiled):
    workload = profiled([node("Conv", "x w", auto_pad="SAME_UPPER")], {"w": floats(4, 3, 5, 5)})
    assert only(workload, OpKind.CONV).attrs["padding"] == (2, 2)


def test_a_transposed_convolution(profiled):
    workload = profiled([node("ConvTranspose", "x w", strides=[2, 2])], {"w": floats(3, 5, 2, 2)})
    assert only(workload, OpKind.CONV_TRANSPOSED).macs == 64 * 3 * 5 * 4


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_with_and_without_transposed_kernel(profiled, transposed):
    kernel = floats(4, 6) if transposed else floats(6, 4)
    workload = profiled([node("Gemm", "x w b", transB=transposed)], {"w": kernel, "b": floats(4)}, inputs=((2, 6),))
    op = only(workload, OpKind.LINEAR)
    assert (op.macs, op.attrs["in_features"], op.attrs["out_features"]) == (48, 6, 4)


def test_matmul_is_linear_with_a_constant_on_either_side_and_matmul_without(profiled):
    nodes = [node("MatMul", "x w", "a"), node("MatMul", "v a", "b"), node("MatMul", "b b2", "y")]
    nodes.insert(2, node("Transpose", "b", "b2", perm=[0, 2, 1]))
    workload = profiled(nodes, {"w": floats(5, 7), "v": floats(4, 6)}, inputs=((2, 6, 5),))
    assert [(op.kind, op.macs) for op in workload.ops if op.macs] == [
        (OpKind.LINEAR, 2 * 6 * 5 * 7),
        (OpKind.LINEAR, 2 * 4 * 6 * 7),
        (OpKind.MATMUL, 2 * 4 * 4 * 7),
    ]
    assert workload.ops[1].attrs == {"in_features": 6, "out_features": 4}


def test_einsum_of_two_factors_is_counted(profiled):
    workload = profiled([node("Einsum", "x w", equation="bchw,oc->bohw")], {"w": floats(5, 3)})
    op = only(workload, OpKind.LINEAR)
    assert (op.macs, op.attrs["in_features"], op.attrs["out_features"]) == (64 * 3 * 5, 3, 5)


SPELT_OUT = [
    ([node("Sigmoid", "x", "s"), node("Mul", "x s")], {}, "silu"),
    ([node("HardSigmoid", "x", "s"), node("Mul", "s x")], {}, "hardswish"),
    (
        [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Mul", "x c", "m"), node("Div", "m six")],
        {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)},
        "hardswish",
    ),
    (
        [
            node("Div", "x root", "d"),
            node("Erf", "d", "e"),
            node("Add", "e one", "a"),
            node("Mul", "x a", "m"),
            node("Mul", "m half"),
        ],
        {"root": np.float32(1.4142), "one": np.float32(1), "half": np.float32(0.5)},
        "gelu",
    ),
]


@pytest.mark.parametrize(("nodes", "stored", "function"), SPELT_OUT)
def test_spelt_out_activations_are_folded(profiled, nodes, stored, function):
    workload = profiled(nodes, stored)
    assert [(op.kind, op.attrs["function"]) for op in workload.ops] == [(OpKind.ACTIVATION, function)]
    assert workload.ops[0].inputs == workload.inputs
    assert workload.params == 0


def test_a_gate_that_something_else_reads_is_not_folded(profiled):
    nodes = [node("Sigmoid", "x", "s"), node("Mul", "x s", "m"), node("Add", "m s")]
    assert [op.attrs["function"] for op in profiled(nodes).ops] == ["sigmoid", "mul", "add"]


def test_a_gate_of_another_tensor_is_not_folded(profiled):
    nodes = [node("Relu", "x", "r"), node("Sigmoid", "x", "s"), node("Mul", "r s")]
    assert [op.attrs["function"] for op in profiled(nodes).ops] == ["relu", "sigmoid", "mul"]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0.0, 6.0), "relu6"), ((0.0, None), "relu"), ((-1.0, 1.0), "clamp")],
)
def test_clips_are_named_by_their_bounds(profiled, bounds, expected):
    stored = {name: np.float32(b) for name, b in zip(("lo", "hi"), bounds, strict=True) if b is not None}
    workload = profiled([node("Clip", " ".join(["x", *stored]))], stored)
    assert [op.attrs["function"] for op in workload.ops] == [expected]


def test_batch_norm_statistics_are_buffers(profiled):
    stored = {name: floats(9) for name in ("scale", "shift", "mean", "var")}
    workload = profiled([node("BatchNormalization", "x scale shift mean var")], stored, inputs=((1, 9, 4, 4),))
    assert workload.params == 18
    assert {w.name: w.role for w in workload.weights}["mean"] == "buffer"


def test_tokens_and_tables_are_parameters_but_masks_and_scalars_are_not(profiled):
    mask = np.where(np.eye(4) > 0, 0, -100).astype(np.float32)[None]
    nodes = [node("Add", "x position", "a"), node("Add", "a mask", "b"), node("Mul", "b half")]
    stored = {"position": floats(1, 4, 4), "mask": mask, "half": np.float32(0.5)}
    workload = profiled(nodes, stored, inputs=((2, 4, 4),))
    assert workload.params == 16
    assert workload.weight["position"].role == "embedding"
    assert workload.weight["mask"].counted is False
    assert workload.ops[-1].attrs["scalar"] == 0.5


def test_axes_that_are_inputs_become_attributes(profiled):
    nodes = [
        node("Slice", "x starts ends axes", "s"),
        node("Unsqueeze", "s back", "u"),
        node("Split", "u parts", "a b", axis=2),
        node("ReduceMean", "a both", "y", keepdims=0),
    ]
    stored = {
        "starts": np.array([-2]), "ends": np.array([2**62]), "axes": np.array([1]), "back": np.array([-1]),
        "parts": np.array([3, 5]), "both": np.array([-2, -1]),
    }  # fmt: skip
    by_function = {op.attrs["function"]: op.attrs for op in profiled(nodes, stored).ops}
    assert [by_function["slice"][key] for key in ("dim", "start", "end")] == [1, 1, 3]
    assert by_function["unsqueeze"]["dims"] == (4,)
    assert (by_function["split"]["dim"], by_function["split"]["sizes"]) == (2, (3, 5))
    assert by_function["mean"]["dims"] == (3, 4)


def test_shape_arithmetic_is_no_operation(profiled):
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "n1"),
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "x target"),
    ]
    stored = {"zero": np.int64(0), "axes": np.array([0]), "rest": np.array([-1])}
    workload = profiled(nodes, stored)
    assert [op.kind for op in workload.ops] == [OpKind.VIEW]
    assert workload.tensor[workload.outputs[0]].shape == (1, 192)
    assert workload.tensor[workload.outputs[0]].alias_of == workload.inputs[0]


def test_operators_of_a_runtime_are_measured_where_inference_fails(profiled):
    nodes = [node("Relu", "x", "r"), node("QuickGelu", "r", "g", domain="com.microsoft", alpha=1.702), node("Neg", "g")]
    workload = profiled(nodes)
    assert [op.attrs["function"] for op in workload.ops] == ["relu", "silu", "Neg"]
    assert workload.tensor[workload.outputs[0]].shape == (1, 3, 8, 8)


def test_functions_of_the_model_are_followed(profiled):
    body = helper.make_function("own", "Twice", ["a"], ["c"], [node("Add", "a a", "c")], [helper.make_opsetid("", 20)])
    workload = profiled([node("Twice", "x", domain="own")], functions=[body])
    assert [op.kind for op in workload.ops] == [OpKind.ELEMENTWISE]


def test_branches_are_reported_as_unknown(profiled):
    def branch(kind):
        output = helper.make_tensor_value_info(f"{kind}_out", F, (1, 3, 8, 8))
        return helper.make_graph([node(kind, "x", f"{kind}_out")], kind, [], [output])

    nodes = [helper.make_node("If", ["flag"], ["y"], then_branch=branch("Relu"), else_branch=branch("Neg"))]
    workload = profiled(nodes, {"flag": np.array(True)})
    assert only(workload, OpKind.UNKNOWN).name == "If"
    assert "If (1 times) is not known" in workload.notes[-1]


def test_open_axes_are_fixed_by_the_shape(tmp_path):
    path = write(tmp_path / "net.onnx", [node("Conv", "x w")], {"w": floats(2, 3, 1, 1)}, inputs=(("n", 3, "h", "w_"),))
    assert profile_onnx(path, input_shape=(2, 3, 4, 5)).macs == 2 * 20 * 2 * 3
    with pytest.raises(ModelLoadError, match="open axes"):
        profile_onnx(path)


def test_an_input_that_does_not_fit_the_graph_is_explained(tmp_path):
    nodes = [node("Flatten", "x", "f"), node("Gemm", "f w")]
    path = write(tmp_path / "net.onnx", nodes, {"w": floats(12, 2)}, inputs=(("n", 3, "h", "w_"),))
    assert profile_onnx(path, input_shape=(1, 3, 2, 2)).macs == 24
    with pytest.raises(ModelLoadError, match="1x3x5x5"):
        profile_onnx(path, input_shape=(1, 3, 5, 5))


def test_half_precision_files(profiled):
    nodes = [node("Cast", "x", "h", to=TensorProto.FLOAT16), node("MatMul", "h w", "y")]
    workload = profiled(nodes, {"w": floats(5, 7).astype(np.float16)}, inputs=((2, 5),))
    assert only(workload, OpKind.LINEAR).precision == "fp16"
    assert workload.weight["w"].storage.dtype == "float16"
