"""Writing down every aten operation of one forward pass. Knows tensors by identity and storages by address.

In-place results and views get ids of their own that alias the first tensor of their storage. A view of a parameter is
still that parameter; a tensor computed from parameters alone (a normalised kernel, a gathered bias table) is an
activation that remembers which parameters it came from, so that a convolution by it still names its weight.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from advisor.schema import WEIGHTED_KINDS, OpKind

from .aten import COMPUTED, base_name, look_up
from .aten_attrs import attention_attrs, attributes, clamp_name, conv_attrs, linear_attrs
from .building import Draft, Work
from .costs import Shape, attention_macs, conv_kind, conv_macs, matmul_macs
from .torch_quantized import PackedLayer, granularity, packed_layer, quantized_name

_NOT_WORK = frozenset({"prim", "profiler", "inductor"})


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Record operations into a draft while active."""

    def __init__(self, weights: Mapping[int, str]) -> None:
        """Take the parameters and buffers by the `id()` of their tensor."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.draft = Draft()
        self.path: list[str] = [""]  # innermost module last; kept by hooks
        self._origins: dict[int, tuple[str, ...]] = {key: (name,) for key, name in weights.items()}
        self._pure = set(weights)  # tensors that are a parameter or a view of one
        self._ids: dict[int, int] = {}
        self._owners: dict[int, int] = {}  # storage address -> id of its first tensor
        self._kept: list[Tensor] = []  # alive, so that identities and addresses stay unique
        self._paused = False
        self._dequantized: set[int] = set()  # activations that were integers a step before
        self._integers: set[int] = set()  # kernels that are stored as integers

    def known(self, tensor: Tensor) -> int:
        """Return the id of an activation, adding one that was not seen before."""
        return self._ids[id(tensor)] if id(tensor) in self._ids else self._remember(tensor)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record nothing inside."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self._paused and func.namespace not in _NOT_WORK:
            names = [argument.name for argument in func._schema.arguments]
            self._record(func, {**dict(zip(names, args, strict=False)), **(kwargs or {})}, result)
        return result

    def attention(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, result: Tensor) -> None:
        """Record one fused scaled dot-product attention."""
        read = [query, key, value] + ([mask] if mask is not None else [])
        inputs, weights = self._operands(read)
        macs = attention_macs(tuple(query.shape), tuple(key.shape), tuple(value.shape))
        work = Work(OpKind.ATTENTION, macs, attention_attrs(tuple(query.shape)), self.path[-1])
        name = "aten.scaled_dot_product_attention.default"
        self.draft.add_op(name, work, inputs, [self._remember(result)], weights)

    def _record(self, func: Any, args: dict[str, Any], result: Any) -> None:
        base = base_name(func._schema.name)
        read, made = _tensors(_factors_first(base, list(args.values()))), _tensors([result])
        if not made:
            return
        if base.startswith("_scaled_dot_product"):
            query, key, value, *mask = read
            self.attention(query, key, value, mask[0] if mask else None, made[0])
            return
        if func.namespace == "quantized":
            base = quantized_name(base)
            if (layer := packed_layer(args, read[0], made[0], self.path[-1])) is not None:
                self._packed(str(func), layer, read, made)
                return
        work = self._work(base, args, read, made[0])
        if work.kind is OpKind.VIEW and self._still_weight(read, made):
            return
        if work.attrs.get("function") == "dequantize" and self._still_integers(base, read, made):
            return
        work = self._precision(work, read, made)
        inputs, weights = self._operands(read)
        if read and all(id(t) in self._origins for t in read):
            for tensor in made:
                self._origins[id(tensor)] = weights
        self.draft.add_op(str(func), work, inputs, [self._remember(t) for t in made], weights)

    def _work(self, base: str, args: dict[str, Any], read: list[Tensor], made: Tensor) -> Work:
        if "convolution" in base:
            return _convolution(args, tuple(made.shape), self.path[-1])
        if base in COMPUTED:
            return self._product(read[0], read[1], tuple(made.shape))
        kind, function = look_up(base)
        if base == "hardtanh" or (base.startswith("clamp") and clamp_name(base, function, args) != function):
            kind = OpKind.ACTIVATION
        shape = tuple(read[0].shape) if read else ()
        return Work(kind, 0, attributes(base, function, args, shape), self.path[-1])

    def _packed(self, name: str, layer: PackedLayer, read: list[Tensor], made: list[Tensor]) -> None:
        """Record a layer whose weights are no tensors of the module."""
        self.draft.found |= {blank.name: blank for blank in layer.blanks}
        self.draft.quantized[layer.blanks[0].name] = layer.granularity
        inputs, _ = self._operands(read)
        outputs = [self._remember(t) for t in made]
        self.draft.add_op(name, layer.work, inputs, outputs, [blank.name for blank in layer.blanks])

    def _still_integers(self, base: str, read: list[Tensor], made: list[Tensor]) -> bool:
        """Follow a stored kernel through its dequantization, which costs nothing at run time."""
        if not self._still_weight(read[:1], made):
            return False
        self._integers.update(id(t) for t in made)
        self.draft.quantized |= {name: granularity(base) for t in made for name in self._origins[id(t)]}
        return True

    def _precision(self, work: Work, read: list[Tensor], made: list[Tensor]) -> Work:
        """Say int8 where a layer with an integer kernel reads what was integers a step before."""
        moved = work.kind in (OpKind.VIEW, OpKind.MOVE) and bool(read) and id(read[0]) in self._dequantized
        if moved or work.attrs.get("function") == "dequantize":
            self._dequantized.update(id(t) for t in made)
        kinds = WEIGHTED_KINDS if any(id(t) in self._integers for t in read) else frozenset()
        if work.kind in kinds and any(id(t) in self._dequantized for t in read):
            return replace(work, precision="int8")
        return work

    def _product(self, left: Tensor, right: Tensor, out: Shape) -> Work:
        """Return a matrix product: LINEAR where a factor comes from parameters, MATMUL otherwise."""
        first, second = tuple(left.shape), tuple(right.shape)
        macs = matmul_macs(first, second, out)
        if id(right) in self._origins:
            return Work(OpKind.LINEAR, macs, linear_attrs(first[-1], second[1:]), self.path[-1])
        if id(left) in self._origins:
            return Work(OpKind.LINEAR, macs, linear_attrs(first[-1], first[:-1]), self.path[-1])
        return Work(OpKind.MATMUL, macs, {"function": "matmul"}, self.path[-1])

    def _operands(self, read: list[Tensor]) -> tuple[list[int], tuple[str, ...]]:
        inputs = [self.known(t) for t in read if id(t) not in self._pure]
        return inputs, tuple(name for t in read for name in self._origins.get(id(t), ()))

    def _still_weight(self, read: list[Tensor], made: list[Tensor]) -> bool:
        if not read or id(read[0]) not in self._pure:
            return False
        for tensor in made:
            self._origins[id(tensor)] = self._origins[id(read[0])]
            if id(read[0]) in self._integers:
                self._integers.add(id(tensor))
            self._pure.add(id(tensor))
            self._kept.append(tensor)
        return True

    def _remember(self, tensor: Tensor) -> int:
        address = tensor.untyped_storage()._cdata if tensor.layout is torch.strided else id(tensor)
        dtype = str(tensor.dtype)
        number = self.draft.add_tensor(tuple(tensor.shape), dtype, alias_of=self._owners.get(address))
        self._owners.setdefault(address, number)
        self._ids[id(tensor)] = number
        self._kept.append(tensor)
        return number


class AttentionAsOne(TorchFunctionMode):
    """Let the recorder see scaled_dot_product_attention as one operation, whichever kernel it would choose."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _ATTENTION:
            return func(*args, **kwargs)
        with self._recorder.paused():
            result = func(*args, **kwargs)
        named = {**dict(zip(("query", "key", "value", "attn_mask"), args, strict=False)), **kwargs}
        self._recorder.attention(named["query"], named["key"], named["value"], named.get("attn_mask"), result)
        return result


_ATTENTION = (
    torch.nn.functional.scaled_dot_product_attention,
    torch.ops.aten.scaled_dot_product_attention.default,  # how exported graphs call it
)


def _convolution(args: Mapping[str, Any], out: Shape, module: str) -> Work:
    shape, weight = tuple(args["input"].shape), tuple(args["weight"].shape)
    groups, transposed = int(args["groups"]), bool(args.get("transposed"))
    attrs = conv_attrs(args, shape, weight, out)
    channels = attrs["in_channels"]
    kind = conv_kind(weight, groups, channels if isinstance(channels, int) else 0, transposed)
    return Work(kind, conv_macs(shape, weight, out, transposed), attrs, module)


def _factors_first(base: str, values: list[Any]) -> list[Any]:
    """Put what addmm and its like add behind the two factors, so that the kernel comes before the bias."""
    return [*values[1:], values[0]] if base in ("addmm", "baddbmm", "addmv") else values


def _tensors(values: Any) -> list[Tensor]:
    """Return the tensors in nested lists, in order."""
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found.extend(_tensors(value))
    return found
