"""Arithmetic, reductions and whatever moves elements; on constants alone it is done once, in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .values import ints, known, tensor, text

Operator = Callable[[list[Any], dict[str, Any]], Any]


def _pairwise(on_tensors: Callable[..., Any], on_arrays: Callable[..., Any]) -> Operator:
    def run(given: list[Any], attributes: dict[str, Any]) -> Any:
        if known(given):
            return on_arrays(*given)
        like = next(one for one in given if isinstance(one, torch.Tensor))
        return on_tensors(*(tensor(one, like) for one in given))

    return run


def _many(on_tensors: Callable[..., Any], on_arrays: Callable[..., Any]) -> Operator:
    run = _pairwise(on_tensors, on_arrays)

    def fold(given: list[Any], attributes: dict[str, Any]) -> Any:
        result = given[0]
        for one in given[1:]:
            result = run([result, one], attributes)
        return result

    return fold


def _divide(left: Any, right: Any) -> Any:
    return np.divide(left, right).astype(left.dtype)  # whole numbers stay whole


def _reduce(run: Callable[..., torch.Tensor]) -> Operator:
    def reduce(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
        value = tensor(given[0])
        axes = ints(given[1]) if len(given) > 1 and given[1] is not None else list(attributes.get("axes", []))
        return run(value, axes or list(range(value.ndim)), bool(attributes.get("keepdims", 1)))

    return reduce


def _axes(given: list[Any], attributes: dict[str, Any]) -> list[int]:
    return ints(given[1]) if len(given) > 1 and given[1] is not None else list(attributes.get("axes", []))


def _reshape(given: list[Any], attributes: dict[str, Any]) -> Any:
    value, wanted = given[0], ints(given[1])
    if not attributes.get("allowzero"):
        wanted = [int(value.shape[place]) if size == 0 else size for place, size in enumerate(wanted)]
    return value.reshape(wanted)


def _flatten(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value: torch.Tensor = given[0]
    axis, rows = attributes.get("axis", 1) % (value.ndim + 1), 1
    for size in value.shape[:axis]:
        rows *= int(size)
    return value.reshape([rows, -1])


def _transpose(given: list[Any], attributes: dict[str, Any]) -> Any:
    value = given[0]
    order = list(attributes.get("perm", range(value.ndim)[::-1]))
    return value.permute(order) if isinstance(value, torch.Tensor) else value.transpose(order)


def _concat(given: list[Any], attributes: dict[str, Any]) -> Any:
    if known(given):
        return np.concatenate(given, attributes["axis"])
    like = next(one for one in given if isinstance(one, torch.Tensor))
    return torch.cat([tensor(one, like) for one in given], attributes["axis"])


def _slice(given: list[Any], attributes: dict[str, Any]) -> Any:
    value = given[0]
    starts, ends = ints(given[1]), ints(given[2])
    axes = ints(given[3]) if len(given) > 3 and given[3] is not None else list(range(len(starts)))
    steps = ints(given[4]) if len(given) > 4 and given[4] is not None else [1] * len(starts)
    if isinstance(value, np.ndarray):
        cut = [slice(None)] * value.ndim
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            cut[axis] = slice(start, end, step)
        return value[tuple(cut)]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        size = int(value.shape[axis])
        if step < 0:
            places = list(range(size))[slice(start, None if end < -size else end, step)]
            value = value.index_select(axis, torch.tensor(places))
        else:
            value = torch.ops.aten.slice(value, axis, start, min(end, size), step)
    return value


def _split(given: list[Any], attributes: dict[str, Any]) -> Any:
    axis, value = attributes.get("axis", 0), given[0]
    if len(given) > 1 and given[1] is not None:
        return torch.split(value, ints(given[1]), axis)
    if "split" in attributes:
        return torch.split(value, list(attributes["split"]), axis)
    return torch.split(value, -(-int(value.shape[axis]) // attributes["num_outputs"]), axis)


def _squeeze(given: list[Any], attributes: dict[str, Any]) -> Any:
    value = given[0]
    axes = _axes(given, attributes) or [axis for axis, size in enumerate(value.shape) if size == 1]
    kept = [int(size) for axis, size in enumerate(value.shape) if axis not in {a % value.ndim for a in axes}]
    return value.reshape(kept)


def _unsqueeze(given: list[Any], attributes: dict[str, Any]) -> Any:
    value, axes = given[0], _axes(given, attributes)
    if not isinstance(value, torch.Tensor):
        return np.expand_dims(value, tuple(axes))
    total = value.ndim + len(axes)
    for axis in sorted(a % total for a in axes):
        value = value.unsqueeze(axis)
    return value


def _gather(given: list[Any], attributes: dict[str, Any]) -> Any:
    value, places, axis = given[0], given[1], attributes.get("axis", 0)
    if known(given):
        return np.take(value, places, axis)
    value, places = tensor(value), np.asarray(places)
    axis, size = axis % value.ndim, int(value.shape[axis])
    flat = [int(place) % size for place in places.reshape(-1)]
    if places.ndim == 0:
        return value.select(axis, flat[0])
    if flat == list(range(flat[0], flat[0] + len(flat))):
        whole = len(flat) == size
        found = value if whole else torch.ops.aten.slice(value, axis, flat[0], flat[0] + len(flat), 1)
    else:
        found = value.index_select(axis, torch.tensor(flat))
    if places.ndim == 1:
        return found
    return found.reshape([*map(int, value.shape[:axis]), *places.shape, *map(int, value.shape[axis + 1 :])])


def _expand(given: list[Any], attributes: dict[str, Any]) -> Any:
    wanted = ints(given[1])
    shape = np.broadcast_shapes(tuple(map(int, given[0].shape)), tuple(wanted))
    return np.broadcast_to(given[0], shape) if isinstance(given[0], np.ndarray) else given[0].expand(shape)


def _pad(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, pads = given[0], ints(given[1]) if len(given) > 1 else list(attributes["pads"])
    axes = ints(given[3]) if len(given) > 3 and given[3] is not None else list(range(value.ndim))
    half, pairs = len(pads) // 2, [(0, 0)] * value.ndim
    for place, axis in enumerate(axes):
        pairs[axis] = (pads[place], pads[half + place])
    flat = [one for pair in reversed(pairs) for one in pair]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[text(attributes.get("mode"), "constant")]
    fill = float(np.reshape(given[2], -1)[0]) if len(given) > 2 and given[2] is not None else 0.0
    if mode == "constant":
        return torch.nn.functional.pad(value, flat, value=fill)
    return torch.nn.functional.pad(value, flat[: 2 * (value.ndim - 2)], mode=mode)


def _cast(given: list[Any], attributes: dict[str, Any]) -> Any:
    from onnx import helper

    kind = helper.tensor_dtype_to_np_dtype(attributes["to"])
    if isinstance(given[0], np.ndarray):
        return given[0].astype(kind)
    names = {"float32": torch.float32, "float16": torch.float16, "int64": torch.int64, "int32": torch.int32}
    return given[0].to({**names, "bfloat16": torch.bfloat16, "float64": torch.float64, "bool": torch.bool}[str(kind)])


def _shape(given: list[Any], attributes: dict[str, Any]) -> Any:
    whole = np.array([int(size) for size in given[0].shape], np.int64)
    return whole[attributes.get("start", 0) : attributes.get("end", len(whole))]


def _blocks(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    """Depth to space; the order CRD is torch's pixel shuffle."""
    value: torch.Tensor = given[0]
    block = attributes["blocksize"]
    if text(attributes.get("mode"), "DCR") == "CRD":
        return torch.nn.functional.pixel_shuffle(value, block)
    n, c, h, w = map(int, value.shape)
    parts = value.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, c // block**2, h * block, w * block)


def _filled(given: list[Any], attributes: dict[str, Any]) -> Any:
    from onnx import numpy_helper

    value = numpy_helper.to_array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(ints(given[0]), value.reshape(-1)[0], value.dtype)


def _argmax(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return torch.argmax(given[0], attributes.get("axis", 0), keepdim=bool(attributes.get("keepdims", 1)))


def _where(given: list[Any], attributes: dict[str, Any]) -> Any:
    return np.where(*given) if known(given) else torch.where(*(tensor(one) for one in given))


def _same(given: list[Any], attributes: dict[str, Any]) -> Any:
    return given[0]


def _single(on_tensors: Callable[..., Any], on_arrays: Callable[..., Any]) -> Operator:
    return _pairwise(on_tensors, on_arrays)


def _l2(value: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return torch.sqrt(torch.sum(value * value, axes, keep))


SHAPES: dict[str, Operator] = {
    "Add": _pairwise(torch.add, np.add), "Sub": _pairwise(torch.sub, np.subtract),
    "Mul": _pairwise(torch.mul, np.multiply), "Div": _pairwise(torch.div, _divide),
    "Pow": _pairwise(torch.pow, np.power), "Max": _many(torch.maximum, np.maximum),
    "Min": _many(torch.minimum, np.minimum), "Sum": _many(torch.add, np.add),
    "Equal": _pairwise(torch.eq, np.equal), "Less": _pairwise(torch.lt, np.less),
    "Greater": _pairwise(torch.gt, np.greater),
    "Sqrt": _single(torch.sqrt, np.sqrt), "Exp": _single(torch.exp, np.exp), "Log": _single(torch.log, np.log),
    "Neg": _single(torch.neg, np.negative), "Abs": _single(torch.abs, np.abs), "Floor": _single(torch.floor, np.floor),
    "Reciprocal": _single(torch.reciprocal, np.reciprocal), "Cast": _cast, "Identity": _same,
    "ReduceMean": _reduce(torch.mean), "ReduceSum": _reduce(torch.sum), "ReduceMax": _reduce(torch.amax),
    "ReduceMin": _reduce(torch.amin), "ReduceL2": _reduce(_l2),
    "Reshape": _reshape, "Flatten": _flatten, "Transpose": _transpose, "Concat": _concat, "Slice": _slice,
    "Split": _split, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Gather": _gather, "Expand": _expand, "Pad": _pad,
    "Shape": _shape, "DepthToSpace": _blocks, "ConstantOfShape": _filled, "ArgMax": _argmax, "Where": _where,
}  # fmt: skip
