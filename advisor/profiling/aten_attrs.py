"""The attributes of an aten operation that later rooms need, read from its arguments by their schema names."""

from collections.abc import Mapping
from math import prod
from typing import Any

from advisor.schema.workload import Attr

from .costs import Shape

_KEPT = {
    "dim": "dim", "dims": "dims", "start": "start", "end": "end", "step": "step", "keepdim": "keepdim",
    "kernel_size": "kernel", "stride": "stride", "padding": "padding", "dilation": "dilation", "groups": "groups",
    "num_groups": "groups", "pad": "pads", "shifts": "shifts", "output_size": "size", "split_size": "sizes",
    "split_sizes": "sizes", "ceil_mode": "ceil_mode", "half_to_float": "", "negative_slope": "slope",
    "approximate": "approximate", "repeats": "repeats", "eps": "eps", "unbiased": "",
}  # fmt: skip
_SPATIAL = frozenset({"kernel", "stride", "padding", "dilation"})
_COUNTED_FROM_END = frozenset({"dim", "dims"})


def attributes(name: str, function: str, args: Mapping[str, Any], shape: Shape) -> dict[str, Attr]:
    """Return the attributes of one call; `shape` is that of the first tensor read."""
    attrs: dict[str, Attr] = {"function": clamp_name(name, function, args)}
    for argument, key in _KEPT.items():
        value = _plain(args.get(argument))
        if key and value is not None:
            attrs[key] = value
    rank = len(shape) + (name in ("unsqueeze", "stack"))
    if function == "permute":
        attrs["dims"] = permutation(name, args, rank)
        attrs.pop("dim", None)
    for key in _COUNTED_FROM_END & attrs.keys():
        attrs[key] = _from_start(attrs[key], rank)
    if function == "slice":
        attrs |= bounds(attrs, shape)
    if isinstance(attrs.get("dim"), tuple) and function != "permute":
        attrs["dims"] = attrs.pop("dim")
    for key in _SPATIAL & attrs.keys():
        value = attrs[key]
        if isinstance(value, tuple) and not value and key == "stride":
            attrs[key] = attrs.get("kernel", (1,))
        elif isinstance(value, tuple) and len(value) == 1:
            attrs[key] = value * max(rank - 2, 1)
    scalar = args.get("other", args.get("exponent", args.get("value")))
    if isinstance(scalar, int | float) and not isinstance(scalar, bool):
        attrs["scalar"] = float(scalar)
    return attrs


def clamp_name(name: str, function: str, args: Mapping[str, Any]) -> str:
    """Name a clamp: relu6 reaches aten as hardtanh(0, 6), relu sometimes as clamp(0)."""
    if name == "hardtanh":
        low, high = args.get("min_val", -1), args.get("max_val", 1)
    elif name in ("clamp", "clamp_min"):
        low, high = args.get("min"), args.get("max")
    else:
        return function
    if low == 0 and high in (6, None):
        return "relu6" if high == 6 else "relu"
    return function


def permutation(name: str, args: Mapping[str, Any], rank: int) -> Shape:
    """Return the full order of axes of a permute, transpose or t."""
    order = list(range(rank))
    if name == "permute":
        return tuple(int(d) % rank for d in args["dims"])
    first, second = (args["dim0"], args["dim1"]) if name == "transpose" else (0, -1)
    if rank:
        order[first], order[second] = order[second], order[first]
    return tuple(order)


def conv_attrs(
    args: Mapping[str, Any], input_shape: Shape, weight_shape: Shape, output_shape: Shape
) -> dict[str, Attr]:
    """Return kernel, stride, padding, dilation, groups and channels of a convolution, one figure per spatial axis."""
    spatial = len(weight_shape) - 2

    def axes(key: str, default: int) -> Shape:
        value = tuple(int(v) for v in args.get(key) or (default,))
        return value * spatial if len(value) == 1 else value

    return {
        "kernel": tuple(weight_shape[2:]),
        "stride": axes("stride", 1),
        "padding": axes("padding", 0),
        "dilation": axes("dilation", 1),
        "groups": int(args.get("groups", 1)),
        "in_channels": input_shape[-spatial - 1] if spatial else input_shape[-1],
        "out_channels": output_shape[-spatial - 1] if spatial else output_shape[-1],
    }


def linear_attrs(fan_in: int, others: Shape) -> dict[str, Attr]:
    """Return in_features and out_features; `others` are the kernel's axes that are not contracted."""
    return {"in_features": fan_in, "out_features": others[-1] if others else 1}


def attention_attrs(query: Shape) -> dict[str, Attr]:
    """Return heads, head_dim and tokens; axes before the heads are batch (or windows)."""
    heads = query[-3] if len(query) > 3 else 1
    return {"heads": heads, "head_dim": query[-1], "tokens": query[-2], "batches": prod(query[:-3])}


def bounds(attrs: Mapping[str, Attr], shape: Shape) -> dict[str, Attr]:
    """Return dim, start and end of a slice as plain positions: torch writes an open end as 2**63 - 1."""
    dim, start, end = attrs.get("dim") or 0, attrs.get("start") or 0, attrs.get("end")
    if not isinstance(dim, int) or not isinstance(start, int):
        return {}
    size = shape[dim]
    stop = end if isinstance(end, int) else size
    return {
        "dim": dim,
        "start": start % size if start < 0 else start,
        "end": min(stop % size if stop < 0 else stop, size),
    }


def _plain(value: Any) -> Attr:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(v, int) for v in value):
        return tuple(int(v) for v in value)
    return None


def _from_start(value: Attr, rank: int) -> Attr:
    if isinstance(value, tuple):
        return tuple(v % rank if rank else v for v in value)
    return value % rank if rank and isinstance(value, int) else value
