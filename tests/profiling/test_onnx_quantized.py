import numpy as np
import pytest

from advisor.schema import OpKind

from .graphs import F, node, only


def qdq(weight, scale, zero):
    stored = {
        "s": np.float32(0.1), "z": np.uint8(3), "w": weight, "ws": scale, "wz": zero,
        "b": np.zeros(4, np.int32), "bs": scale,
    }  # fmt: skip
    nodes = [
        node("QuantizeLinear", "x s z", "q"),
        node("DequantizeLinear", "q s z", "d"),
        node("DequantizeLinear", "w ws wz", "wd", axis=0),
        node("DequantizeLinear", "b bs", "bd", axis=0),
        node("Conv", "d wd bd"),
    ]
    return nodes, stored


@pytest.mark.parametrize(
    ("scale", "zero", "granularity"),
    [
        (np.float32(0.1), np.int8(0), "per_tensor"),
        (np.full(4, 0.1, np.float32), np.zeros(4, np.int8), "per_channel"),
    ],
)
def test_quantize_and_dequantize_around_a_convolution(profiled, scale, zero, granularity):
    nodes, stored = qdq(np.ones((4, 3, 3, 3), np.int8), scale, zero)
    workload = profiled(nodes, stored)
    op = only(workload, OpKind.CONV)
    assert op.precision == "int8"
    assert op.weights == ("w", "b")
    assert workload.params == 108 + 4
    assert (workload.weight["w"].storage.dtype, workload.weight["w"].storage.granularity) == ("int8", granularity)
    assert [o.kind for o in workload.ops] == [OpKind.QUANTIZE, OpKind.QUANTIZE, OpKind.CONV]


def test_a_convolution_on_integers(profiled):
    stored = {
        "s": np.float32(0.1), "z": np.uint8(3), "w": np.ones((4, 3, 3, 3), np.int8), "ws": np.float32(0.1),
        "wz": np.int8(0), "ys": np.float32(0.1), "yz": np.uint8(0), "b": np.zeros(4, np.int32),
    }  # fmt: skip
    workload = profiled(
        [node("QuantizeLinear", "x s z", "q"), node("QLinearConv", "q s z w ws wz ys yz b", "o"),
         node("DequantizeLinear", "o ys yz")],
        stored,
    )  # fmt: skip
    op = only(workload, OpKind.CONV)
    assert (op.precision, op.weights, op.macs) == ("int8", ("w", "b"), 36 * 4 * 27)
    assert workload.tensor[op.outputs[0]].dtype == "uint8"


def test_dynamic_quantization_is_integer_arithmetic(profiled):
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("MatMulInteger", "q w z", "i"),
        node("Cast", "i", "f", to=F),
        node("Mul", "f s"),
    ]
    workload = profiled(nodes, {"w": np.ones((5, 7), np.int8)}, inputs=((2, 5),))
    assert only(workload, OpKind.LINEAR).precision == "int8"
    assert workload.weight["w"].storage.dtype == "int8"
    assert workload.params == 35
