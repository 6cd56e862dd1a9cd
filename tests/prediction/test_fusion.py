"""What becomes part of what, and where forms and layouts change, on networks small enough to work out on paper."""

import pytest

from advisor.prediction.fusion import block_of, fold, fuse
from advisor.profiling import peak_activation_bytes
from advisor.schema import MAC_KINDS, Cpu, OpKind, Tensor, Weight, Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import conv_net, op

IMAGE = (1, 16, 8, 8)


def network(ops, shapes, outputs, weights=()):
    """A network of these operations; tensor i has shapes[i], and 0 is the input."""
    tensors = tuple(Tensor(id=i, shape=shape) for i, shape in enumerate(shapes))
    return Workload(
        name="small", inputs=(0,), outputs=outputs, tensors=tensors, weights=weights,
        ops=tuple(o.model_copy(update={"index": i}) for i, o in enumerate(ops)),
    )  # fmt: skip


def conv(source, result, wide=16, out=16, groups=1, name="w"):
    kind = OpKind.CONV_1X1 if groups == 1 else OpKind.CONV_GROUPED if groups < wide else OpKind.CONV_DEPTHWISE
    attrs = {"in_channels": wide, "out_channels": out, "groups": groups, "kernel": (1, 1)}
    return op(0, kind, (source,), (result,), (name,), wide * out * 64 // groups, **attrs)


def kernel(wide=16, out=16, groups=1, name="w"):
    return Weight(name=name, shape=(out, wide // groups, 1, 1), role="weight")


def told(workload):
    """Kinds with the function where it tells them apart."""
    named = (OpKind.MOVE, OpKind.QUANTIZE, OpKind.ACTIVATION, OpKind.ELEMENTWISE)
    return [str(o.attrs["function"]) if o.kind in named else str(o.kind) for o in workload.ops]


def test_norm_and_relu_join_the_convolution():
    fused = fuse(conv_net(), "onnxruntime")
    assert told(fused) == ["conv", "reorder", "view", "linear"]
    assert fused.ops[0].attrs["fused"] == "relu"
    assert fused.ops[0].attrs["layout"] == "blocked"
    assert told(fuse(conv_net(), "ncnn")) == ["conv", "view", "linear"]


def test_eager_execution_fuses_nothing():
    assert [o.kind for o in fuse(conv_net(), "pytorch").ops] == [o.kind for o in conv_net().ops]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "ncnn", "pytorch"])
def test_fusion_keeps_macs(runtime):
    assert fuse(conv_net(), runtime).macs == conv_net().macs


@pytest.mark.parametrize("runtime", ["openvino", "ncnn"])
def test_fusion_lowers_the_peak(runtime):
    assert peak_activation_bytes(fuse(conv_net(), runtime)) <= peak_activation_bytes(conv_net())


def test_an_activation_read_beside_the_convolution_stays_apart():
    ops = (
        conv(0, 1),
        op(1, OpKind.ACTIVATION, (1,), (2,), function="relu"),
        op(2, OpKind.ELEMENTWISE, (1, 2), (3,), function="add"),
    )
    fused = fuse(network(ops, [IMAGE] * 4, (3,), (kernel(),)), "onnxruntime")
    assert "relu" in told(fused)


def residual(order, channels=16):
    """Two convolutions of one image, summed and clipped; `order` says which is summed first."""
    ops = (
        conv(0, 1, channels, channels, name="w0"),
        conv(0, 2, channels, channels, name="w1"),
        op(2, OpKind.ELEMENTWISE, order, (3,), function="add"),
        op(3, OpKind.ACTIVATION, (3,), (4,), function="relu"),
    )
    weights = tuple(kernel(channels, channels, name=f"w{i}") for i in (0, 1))
    return network(ops, [(1, channels, 8, 8)] * 5, (4,), weights)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize(("channels", "border"), [(16, 2), (9, 1)], ids=["blocked", "read plain"])
def test_a_sum_joins_a_convolution_where_all_operands_are_ready(order, channels, border):
    fused = fuse(residual(order, channels), "onnxruntime")
    assert told(fused).count("conv_1x1") == 2
    assert told(fused).count("reorder") == border
    assert {"add", "relu"}.isdisjoint(told(fused))
    last = [o for o in fused.ops if o.kind is OpKind.CONV_1X1][-1]
    assert last.attrs["fused"] == "add+relu"
    assert len(last.inputs) == 2


@pytest.mark.parametrize(
    ("wide", "out", "groups", "blocked"),
    [
        (16, 24, 1, True), (20, 24, 1, True), (18, 24, 1, False), (6, 24, 1, True), (24, 24, 24, True),
        (64, 64, 8, False), (64, 64, 4, True),
    ],
    ids=["aligned", "multiple of 4", "no multiple", "below a block", "depthwise", "groups of 8", "groups of 16"],
)  # fmt: skip
def test_convolutions_that_miss_the_block_run_on_the_plain_layout(wide, out, groups, blocked):
    shapes = [(1, wide, 8, 8), (1, out, 8, 8)]
    ops = (conv(0, 1, wide, out, groups),)
    fused = fuse(network(ops, shapes, (1,), (kernel(wide, out, groups),)), "onnxruntime")
    assert ("reorder" in told(fused)) is blocked
    if blocked:  # the last channels are filled up to a whole block
        assert fused.tensor[fused.ops[-1].inputs[0]].shape == (1, -(-out // 16) * 16, 8, 8)


@pytest.mark.parametrize(
    ("isa", "block", "border"), [(("sse2", "avx2", "avx512"), 16, 1), (("sse2", "avx2"), 8, 2), (("neon",), 1, 0)]
)
def test_the_cpu_decides_on_the_block(isa, block, border):
    """A convolution with 12 input channels reads the plain layout where they are less than a block."""
    assert block_of("onnxruntime", Cpu(arch="any", isa=isa)) == block
    start = network((conv(0, 1, 12, 24),), [(1, 12, 8, 8), (1, 24, 8, 8)], (1,), (kernel(12, 24),))
    assert told(fuse(start, "onnxruntime", block)).count("reorder") == border
    assert block_of("ncnn", Cpu(arch="any", isa=isa)) == 1


def test_every_tensor_is_made_before_it_is_read():
    for start in (residual((1, 2)), preview(StaticInt8(), residual((1, 2))), conv_net()):
        fused = fuse(start, "onnxruntime")
        made = set(fused.inputs)
        for o in fused.ops:
            assert made.issuperset(o.inputs), o
            assert made.isdisjoint(o.outputs), o
            made.update(o.outputs)
        assert made.issuperset(fused.outputs)
        assert [o.index for o in fused.ops] == list(range(len(fused.ops)))


def excite(gate):
    """Squeeze-and-excite: a mean over the plane, a convolution, a gate, and the product with the image."""
    small = (1, 16, 1, 1)
    ops = (
        conv(0, 1, name="w0"),
        op(1, OpKind.REDUCE, (1,), (2,), function="mean", dims=(2, 3), keepdim=True),
        conv(2, 3, name="w1"),
        op(3, OpKind.ACTIVATION, (3,), (4,), function=gate),
        op(4, OpKind.ELEMENTWISE, (1, 4), (5,), function="mul"),
        conv(5, 6, name="w2"),
    )
    shapes = [IMAGE, IMAGE, small, small, small, IMAGE, IMAGE]
    return network(ops, shapes, (6,), tuple(kernel(name=f"w{i}") for i in range(3)))


def test_squeeze_and_excite_leaves_the_blocks_around_its_product():
    fused = fuse(excite("sigmoid"), "onnxruntime")
    assert told(fused) == [
        "reorder", "conv_1x1", "reorder", "reduce", "reorder", "conv_1x1", "reorder", "mul", "reorder", "conv_1x1",
        "reorder",
    ]  # fmt: skip


@pytest.mark.parametrize(("gate", "float_ops"), [("sigmoid", {"reduce"}), ("hardsigmoid", {"reduce", "activation"})])
def test_what_has_no_integer_kernel_runs_in_float_between_changes_of_form(gate, float_ops):
    fused = fuse(preview(StaticInt8(), excite(gate)), "onnxruntime")
    computing = [o for o in fused.ops if o.kind not in (OpKind.QUANTIZE, OpKind.MOVE)]
    assert {str(o.kind) for o in computing if o.precision == "fp32"} == float_ops
    for o in computing:
        dtypes = {fused.tensor[t].dtype for t in (*o.inputs, *o.outputs)}
        assert dtypes == ({"float32"} if o.precision == "fp32" else {"int8"})
    changes = told(fused)
    # One pair around the network, one around each operation in float.
    assert changes.count("quantize") == changes.count("dequantize") == 1 + len(float_ops)


def test_integer_convolutions_have_channels_last():
    fused = fuse(preview(StaticInt8(), residual((1, 2))), "onnxruntime")
    assert told(fused)[:5] == ["quantize", "permute", "conv_1x1", "conv_1x1", "add"]
    assert sorted(told(fused)[5:]) == ["dequantize", "permute"]
    assert {o.attrs.get("layout") for o in fused.ops if o.kind in MAC_KINDS} == {"channels_last"}


def test_integer_sums_run_by_themselves_in_onnxruntime():
    after = preview(StaticInt8(), residual((1, 2)))
    assert "add" in told(fuse(after, "onnxruntime"))
    assert "add" not in told(fuse(after, "openvino"))


@pytest.mark.parametrize(
    ("function", "plain", "integer"),
    [("silu", ["silu"], ["sigmoid", "mul"]), ("hardswish", [], ["hardsigmoid", "mul"]), ("relu", [], [])],
)
def test_gated_activations_are_one_node_in_float_and_two_in_integers(function, plain, integer):
    ops = (conv(0, 1), op(1, OpKind.ACTIVATION, (1,), (2,), function=function))
    start = network(ops, [IMAGE] * 3, (2,), (kernel(),))
    known = {"silu", "sigmoid", "hardswish", "hardsigmoid", "mul", "relu"}
    assert [name for name in told(fuse(start, "onnxruntime")) if name in known] == plain
    assert [name for name in told(fuse(preview(StaticInt8(), start), "onnxruntime")) if name in known] == integer


@pytest.mark.parametrize(
    ("function", "step", "apart"),
    [("relu", None, False), ("hardswish", None, True), ("relu", DynamicInt8(), True), ("relu", StaticInt8(), False)],
    ids=["float", "not every function", "dynamic", "static"],
)
def test_linear_layers_take_in_fewer_activations(function, step, apart):
    ops = (
        op(0, OpKind.LINEAR, (0,), (1,), ("w",), 64, in_features=8, out_features=8),
        op(1, OpKind.ACTIVATION, (1,), (2,), function=function),
    )
    start = network(ops, [(4, 8)] * 3, (2,), (Weight(name="w", shape=(8, 8), role="weight"),))
    previews = {DynamicInt8: preview_dynamic, StaticInt8: preview}
    planned = previews[type(step)](step, start) if step else start
    assert any(o.kind is OpKind.ACTIVATION for o in fuse(planned, "onnxruntime").ops) is apart


def attention():
    """One head of 8 channels over 4 tokens between two linear layers, with norms and a residual sum."""
    tokens, heads = (1, 4, 8), (1, 1, 4, 8)
    wide = {"in_features": 8, "out_features": 8}
    ops = (
        op(0, OpKind.NORM_LAYER, (0,), (1,), ("n",), function="layer_norm"),
        op(1, OpKind.LINEAR, (1,), (2,), ("w0", "b0"), 256, **wide),
        op(2, OpKind.VIEW, (2,), (3,), function="reshape"),
        op(3, OpKind.ATTENTION, (3, 3, 3), (4,), (), 256, heads=1, head_dim=8, tokens=4),
        op(4, OpKind.VIEW, (4,), (5,), function="reshape"),
        op(5, OpKind.LINEAR, (5,), (6,), ("w1", "b1"), 256, **wide),
        op(6, OpKind.ELEMENTWISE, (0, 6), (7,), function="add"),
        op(7, OpKind.NORM_LAYER, (7,), (8,), ("n",), function="layer_norm"),
    )
    shapes = [tokens, tokens, tokens, heads, heads, tokens, tokens, tokens, tokens]
    weights = (
        *(Weight(name=f"w{i}", shape=(8, 8), role="weight") for i in (0, 1)),
        *(Weight(name=f"b{i}", shape=(8,), role="bias") for i in (0, 1)),
        Weight(name="n", shape=(8,), role="norm"),
    )
    return network(ops, shapes, (8,), weights)


def test_attention_runs_as_two_products_and_a_softmax():
    fused = fuse(attention(), "onnxruntime")
    assert [name for name in told(fused) if name != "view"] == [
        "norm_layer", "linear", "matmul", "softmax", "matmul", "linear", "norm_layer",
    ]  # fmt: skip
    assert fused.macs == attention().macs
    assert fused.ops[-1].attrs["fused"] == "add"  # nothing else reads the sum


def test_integer_attention_scales_and_transposes_by_itself():
    fused = fuse(preview(StaticInt8(), attention()), "onnxruntime")
    names = [name for name in told(fused) if name != "view"]
    assert names.count("mul") == 2
    assert names.count("permute") == 1
    assert [o.precision for o in fused.ops if o.kind is OpKind.SOFTMAX] == ["int8"]
    assert {o.precision for o in fused.ops if o.kind is OpKind.NORM_LAYER} == {"fp32"}


def test_layers_with_dynamic_ranges_share_the_quantization_of_one_tensor():
    alone = fuse(preview_dynamic(DynamicInt8(), attention()), "onnxruntime")
    assert "quantize" not in told(alone)
    twice = attention()
    second = op(1, OpKind.LINEAR, (1,), (9,), ("w1",), 256, in_features=8, out_features=8)
    fields = {name: getattr(twice, name) for name in Workload.model_fields}
    tensors = (*twice.tensors, Tensor(id=9, shape=(1, 4, 8)))
    ops = (*twice.ops[:2], second, *twice.ops[2:])
    twice = Workload(**{**fields, "ops": ops, "tensors": tensors, "outputs": (8, 9)})
    assert told(fuse(preview_dynamic(DynamicInt8(), twice), "onnxruntime")).count("quantize") == 1


def test_what_depends_on_weights_alone_and_what_changes_nothing_is_left_out():
    table = Weight(name="table", shape=(16, 1, 1), role="weight")
    ops = (
        op(0, OpKind.MOVE, (), (1,), ("table",), function="gather"),
        op(1, OpKind.ELEMENTWISE, (0, 1), (2,), ("table",), function="mul"),
        op(2, OpKind.ELEMENTWISE, (2,), (3,), function="add", scalar=0.0),
        op(3, OpKind.MOVE, (3,), (4,), function="copy"),
    )
    fused = fuse(network(ops, [IMAGE, (16, 1, 1), IMAGE, IMAGE, IMAGE], (4,), (table,)), "onnxruntime")
    assert told(fused) == ["mul"]
    assert fused.ops[0].inputs == (0,)
    assert fused.outputs == fused.ops[0].outputs


def test_transposes_merge_and_copy():
    ops = (
        op(0, OpKind.VIEW, (0,), (1,), function="permute", dims=(0, 2, 3, 1)),
        op(1, OpKind.VIEW, (1,), (2,), function="permute", dims=(0, 2, 1, 3)),
    )
    fused = fuse(network(ops, [IMAGE, (1, 8, 8, 16), (1, 8, 8, 16)], (2,)), "onnxruntime")
    assert told(fused) == ["permute"]
    assert fused.ops[0].attrs["dims"] == (0, 3, 2, 1)
    assert fused.tensor[2].alias_of is None


def test_results_are_kept_per_workload_and_style():
    start = conv_net()
    assert fuse(start, "onnxruntime") is fuse(start, "onnxruntime")
    assert fold(start) is fold(start)
    assert fold(fold(start)) is fold(start)
