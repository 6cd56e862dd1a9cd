"""What holds for the fused graph of any network: it can be executed, and it computes as many MACs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.prediction.fusion import fuse
from advisor.schema import MAC_KINDS, OpKind, Tensor, Weight, Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8

from .networks import op

POINTWISE = ("relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "gelu")
STEPS = (
    "conv",
    "depthwise",
    "act",
    "add",
    "mul",
    "pool",
    "mean",
    "concat",
    "permute",
    "slice",
    "split",
    "norm",
    "scale",
)


class Builder:
    """Builds a network of images, one operation after the other; every result may be read again."""

    def __init__(self, channels):
        self.tensors = [Tensor(id=0, shape=(1, channels, 6, 6))]
        self.weights, self.ops = [], []

    def add(self, step, pick):
        source = pick(range(len(self.tensors)))
        shape = self.tensors[source].shape
        same = [t.id for t in self.tensors if t.shape == shape]
        if step == "conv":
            out = pick((8, 16, 20, 24))
            attrs = {"in_channels": shape[1], "out_channels": out, "groups": 1, "kernel": (1, 1)}
            self._op(OpKind.CONV_1X1, [source], (1, out, *shape[2:]), (out, shape[1], 1, 1), **attrs)
        elif step == "depthwise" and shape[1] > 1:
            attrs = {"in_channels": shape[1], "out_channels": shape[1], "groups": shape[1], "kernel": (1, 1)}
            self._op(OpKind.CONV_DEPTHWISE, [source], shape, (shape[1], 1, 1, 1), **attrs)
        elif step == "act":
            self._op(OpKind.ACTIVATION, [source], shape, function=pick(POINTWISE))
        elif step in ("add", "mul"):
            self._op(OpKind.ELEMENTWISE, [source, pick(same)], shape, function=step)
        elif step == "pool":
            self._op(OpKind.POOL, [source], shape, function=pick(("max_pool", "avg_pool")))
        elif step == "mean":
            self._op(OpKind.REDUCE, [source], (*shape[:2], 1, 1), function="mean", dims=(2, 3), keepdim=True)
        elif step == "concat":
            self._op(OpKind.CONCAT, [source, pick(same)], (1, 2 * shape[1], *shape[2:]), function="concat", dim=1)
        elif step == "permute":
            order = pick(((0, 2, 3, 1), (0, 3, 1, 2), (0, 1, 3, 2)))
            self._op(OpKind.VIEW, [source], tuple(shape[d] for d in order), function="permute", dims=order)
        elif step == "slice" and shape[1] > 1:
            self._op(
                OpKind.VIEW, [source], (1, shape[1] - 1, *shape[2:]), function="slice", dim=1, start=1, end=shape[1]
            )
        elif step == "split" and shape[1] % 2 == 0:
            half = (1, shape[1] // 2, *shape[2:])
            self._op(OpKind.VIEW, [source], half, half, function="split", dim=1)
        elif step == "norm":
            self._op(OpKind.NORM_LAYER, [source], shape, (shape[-1],), function="layer_norm")
        elif step == "scale":
            self._op(OpKind.ELEMENTWISE, [source], shape, (shape[1], 1, 1), function="mul")

    def _op(self, kind, inputs, shape, more=None, **attrs):
        """Add an operation; `more` is the shape of its weight, or of a second result of a split."""
        place, names, results = len(self.ops), (), [shape]
        if kind is OpKind.VIEW and more:
            results.append(more)
        elif more:
            role = "weight" if kind in MAC_KINDS or kind is OpKind.ELEMENTWISE else "norm"
            names = (f"w{place}",)
            self.weights.append(Weight(name=names[0], shape=more, role=role))
        first = len(self.tensors)
        self.tensors += [Tensor(id=first + i, shape=r) for i, r in enumerate(results)]
        macs = more[0] * more[1] * shape[2] * shape[3] if kind in MAC_KINDS else 0
        outputs = tuple(range(first, len(self.tensors)))
        self.ops.append(op(place, kind, tuple(inputs), outputs, names, macs, **attrs))

    def result(self):
        """What nobody reads is an output."""
        read = {t for o in self.ops for t in o.inputs}
        outputs = tuple(t.id for t in self.tensors if t.id not in read) or (self.tensors[-1].id,)
        return Workload(
            name="any", inputs=(0,), outputs=outputs, tensors=tuple(self.tensors), weights=tuple(self.weights),
            ops=tuple(self.ops),
        )  # fmt: skip


@st.composite
def networks(draw):
    """Networks of up to a dozen operations."""
    builder = Builder(draw(st.sampled_from((3, 16, 18, 32))))
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=12)):
        builder.add(step, lambda items: draw(st.sampled_from(list(items))))
    return builder.result()


FORMS = {
    "float": lambda network: network,
    "int8": lambda network: preview_static(StaticInt8(), network),
    "dynamic": lambda network: preview_dynamic(DynamicInt8(), network),
    "part float": lambda network: preview_static(StaticInt8(float_kinds=("conv_1x1", "elementwise")), network),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(network=networks())
def test_the_fused_graph_can_be_executed_and_keeps_the_macs(form, network):
    if not network.ops:
        return
    planned = FORMS[form](network)
    for runtime in ("onnxruntime", "openvino", "ncnn"):
        fused = fuse(planned, runtime)
        made = set(fused.inputs)
        for o in fused.ops:
            assert made.issuperset(o.inputs), (runtime, o)
            assert made.isdisjoint(o.outputs), (runtime, o)
            made.update(o.outputs)
        assert made.issuperset(fused.outputs)
        assert len(fused.outputs) == len(planned.outputs)
        assert fused.macs == planned.macs
        for o in fused.ops:
            if o.kind in MAC_KINDS and runtime == "onnxruntime" and form == "int8":
                assert {fused.tensor[t].dtype for t in (*o.inputs, *o.outputs)} == {"int8"}
