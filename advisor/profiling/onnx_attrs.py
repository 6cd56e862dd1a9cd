"""The attributes of an ONNX node that later rooms need, under the names that the torch reader uses."""

from collections.abc import Mapping
from typing import Any

import onnx

from advisor.schema.workload import Attr

from .aten_attrs import bounds
from .costs import Shape

_KEPT = {
    "kernel_shape": "kernel", "strides": "stride", "dilations": "dilation", "group": "groups", "perm": "dims",
    "alpha": "slope", "epsilon": "eps", "keepdims": "keepdim", "blocksize": "block", "num_groups": "groups",
    "ceil_mode": "ceil_mode", "axes": "dims", "axis": "dim", "start": "start", "end": "end", "sizes": "sizes",
}  # fmt: skip
_RESIZE = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}


def raw(node: onnx.NodeProto) -> dict[str, Any]:
    """Return a node's own attributes as Python values; graphs inside are left out."""
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute if not a.HasField("g")}


def listed_settings(operator: str, lists: list[tuple[int, ...]]) -> dict[str, Any]:
    """Return settings that newer operator sets pass as inputs; `lists` holds the whole numbers of each input."""
    if operator == "Slice" and len(lists) > 2 and len(lists[1]) == len(lists[2]) == 1:
        axis = lists[3] if len(lists) > 3 else (0,)
        return {"axis": axis[0] if axis else 0, "start": lists[1][0], "end": lists[2][0]}
    if (operator.startswith("Reduce") or operator in ("Squeeze", "Unsqueeze")) and len(lists) > 1 and lists[1]:
        return {"axes": list(lists[1])}
    if operator == "Split" and len(lists) > 1 and lists[1]:
        return {"sizes": list(lists[1])}
    return {}


def attributes(function: str, own: Mapping[str, Any], shape: Shape) -> dict[str, Attr]:
    """Return the attributes of a node; `shape` is that of its first activation."""
    attrs: dict[str, Attr] = {"function": function}
    for key, name in _KEPT.items():
        value = own.get(key)
        if isinstance(value, int | float):
            attrs[name] = value
        elif isinstance(value, list) and all(isinstance(v, int) for v in value):
            attrs[name] = tuple(value)
    rank = len(shape) + (len(own.get("axes", ())) if function == "unsqueeze" else 0)
    for key in ("dim", "dims"):
        value = attrs.get(key)
        if isinstance(value, int) and rank:
            attrs[key] = value % rank
        elif isinstance(value, tuple) and rank:
            attrs[key] = tuple(v % rank for v in value)
    if function == "slice":
        attrs |= bounds(attrs, shape)
    if function == "permute" and "dims" not in attrs:
        attrs["dims"] = tuple(reversed(range(rank)))
    if isinstance(mode := own.get("mode"), bytes) and mode.decode() in _RESIZE:
        attrs["function"] = _RESIZE[mode.decode()]
    if "kernel" in attrs and isinstance(own.get("pads"), list):
        attrs["padding"] = tuple(own["pads"][: len(own["pads"]) // 2])
    return attrs


def conv_attrs(own: Mapping[str, Any], x: Shape, weight: Shape, y: Shape, transposed: bool) -> dict[str, Attr]:
    """Return kernel, stride, padding (at the beginning of each axis), dilation, groups and channels."""
    spatial = len(weight) - 2
    stride = tuple(own.get("strides") or (1,) * spatial)
    dilation = tuple(own.get("dilations") or (1,) * spatial)
    pads = tuple(own.get("pads") or (0,) * spatial * 2)[:spatial]
    if own.get("auto_pad", b"NOTSET").startswith(b"SAME") and not transposed:
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight[2:], strict=True)]
        pads = tuple(max(0, (o - 1) * s + r - i) // 2 for o, s, r, i in zip(y[2:], stride, reach, x[2:], strict=True))
    return {
        "kernel": tuple(weight[2:]),
        "stride": stride,
        "padding": pads,
        "dilation": dilation,
        "groups": int(own.get("group", 1)),
        "in_channels": x[1],
        "out_channels": y[1],
    }
