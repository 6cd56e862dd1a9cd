import pytest

from advisor.prediction.fusion import fold, fuse
from advisor.profiling import peak_activation_bytes
from advisor.schema import OpKind, Tensor, Weight, Workload
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import conv_net, op


def kinds(workload):
    return [o.kind for o in workload.ops]


def test_norm_and_relu_join_the_convolution():
    fused = fuse(conv_net(), "onnxruntime")
    assert kinds(fused) == [OpKind.CONV, OpKind.VIEW, OpKind.LINEAR]
    assert fused.ops[0].outputs == (3,)
    assert fused.ops[0].attrs["fused"] == "relu"


def test_eager_execution_fuses_nothing():
    assert kinds(fuse(conv_net(), "pytorch")) == kinds(conv_net())


def test_fusion_keeps_macs_and_lowers_the_peak():
    network = conv_net()
    fused = fuse(network, "onnxruntime")
    assert fused.macs == network.macs
    assert peak_activation_bytes(fused) <= peak_activation_bytes(network)


def test_an_activation_read_beside_the_convolution_stays_apart():
    network = conv_net(norm=False)
    twice = op(9, OpKind.ELEMENTWISE, (1, 3), (6,), function="add")
    tensors = (*network.tensors, Tensor(id=6, shape=network.tensor[1].shape))
    fields = {name: getattr(network, name) for name in Workload.model_fields}
    branched = Workload(**{**fields, "ops": (*network.ops, twice), "tensors": tensors})
    assert OpKind.ACTIVATION in kinds(fuse(branched, "onnxruntime"))


def residual(order):
    """Two convolutions of one image, summed; `order` says which is summed first."""
    shape = (1, 8, 4, 4)
    convs = [
        op(i, OpKind.CONV_1X1, (0,), (1 + i,), (f"w{i}",), 8 * 8 * 16, in_channels=8, out_channels=8, groups=1)
        for i in (0, 1)
    ]
    ops = (
        *convs,
        op(2, OpKind.ELEMENTWISE, order, (3,), function="add"),
        op(3, OpKind.ACTIVATION, (3,), (4,), function="relu"),
    )
    return Workload(
        name="residual", inputs=(0,), outputs=(4,), tensors=tuple(Tensor(id=i, shape=shape) for i in range(5)),
        weights=tuple(Weight(name=f"w{i}", shape=(8, 8, 1, 1), role="weight") for i in (0, 1)), ops=ops,
    )  # fmt: skip


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_sum_joins_the_later_convolution_where_all_operands_are_ready(order):
    fused = fuse(residual(order), "onnxruntime")
    assert kinds(fused) == [OpKind.CONV_1X1, OpKind.CONV_1X1]
    assert set(fused.ops[1].inputs) == {0, 1}
    assert fused.ops[1].attrs["fused"] == "add+relu"


def test_integer_sums_run_by_themselves_in_onnxruntime():
    after = preview(StaticInt8(), residual((1, 2)))
    assert OpKind.ELEMENTWISE in kinds(fuse(after, "onnxruntime"))
    assert OpKind.ELEMENTWISE not in kinds(fuse(after, "openvino"))


def test_results_are_kept_per_workload_and_style():
    network = conv_net()
    assert fuse(network, "onnxruntime") is fuse(network, "onnxruntime")
    assert fold(network) is fold(network)
    assert fold(fold(network)) is fold(network)
