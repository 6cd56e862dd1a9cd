"""Ranks and costs of factorized layers, by arithmetic alone."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt

from advisor.errors import NotApplicable
from advisor.schema import Op, OpKind, Weight, Workload
from advisor.techniques.editing import main_weight, number, numbers
from advisor.techniques.low_rank.step import LowRank, Ranks

METHODS: dict[str, frozenset[OpKind]] = {
    "svd": frozenset({OpKind.LINEAR, OpKind.CONV_1X1}),
    "spatial_svd": frozenset({OpKind.CONV}),
    "tucker2": frozenset({OpKind.CONV}),
}


@dataclass(frozen=True)
class Factor:
    """One of the layers that replace a layer; `taps` is its kernel, `positions` where it is evaluated per sample."""

    channels_in: int
    channels_out: int
    taps: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    extent: tuple[int, ...]  # spatial size of its output

    @property
    def params(self) -> int:
        """Elements of its kernel."""
        return self.channels_in * self.channels_out * prod(self.taps)

    @property
    def positions(self) -> int:
        """Places where the kernel is evaluated."""
        return prod(self.extent)


def matrix_rank(inputs: int, outputs: int, ratio: float, round_to: int) -> int:
    """Return the rank of an m x n matrix: ratio x mn / (m + n), the break-even rank (LR-01), down to a multiple."""
    return _down(ratio * inputs * outputs / (inputs + outputs), round_to)


def spatial_rank(inputs: int, outputs: int, kernel: tuple[int, int], ratio: float, round_to: int) -> int:
    """Return the rank of a split into kh x 1 and 1 x kw: break-even at kh kw Cin Cout / (kh Cin + kw Cout) (LR-02)."""
    high, wide = kernel
    return _down(ratio * high * wide * inputs * outputs / (high * inputs + wide * outputs), round_to)


def tucker_ranks(inputs: int, outputs: int, taps: int, ratio: float, round_to: int) -> tuple[int, int]:
    """Return both ranks of 1x1, k x k, 1x1 as equal shares of the channels.

    The share at break-even solves Cin r1 + taps r1 r2 + r2 Cout = taps Cin Cout (LR-02) with r1 = x Cin, r2 = x Cout;
    `ratio` is taken of it.
    """
    quadratic, linear = taps * inputs * outputs, inputs * inputs + outputs * outputs
    share = (-linear + sqrt(linear * linear + 4 * quadratic * quadratic)) / (2 * quadratic)
    return _down(ratio * share * inputs, round_to), _down(ratio * share * outputs, round_to)


def _down(rank: float, round_to: int) -> int:
    """Round down to a multiple, but not to nothing."""
    return max(int(rank) // round_to, 1) * round_to


def methods(op: Op, method: str) -> tuple[str, ...]:
    """Return the methods among those asked for that can split this kind of operation, the plainest first."""
    asked = tuple(METHODS) if method == "auto" else (method,)
    return tuple(name for name in asked if op.kind in METHODS[name])


def budget(workload: Workload, op: Op, method: str, ratio: float, round_to: int) -> Ranks:
    """Return the ranks of a layer at a share of the break-even rank."""
    inputs, outputs = _widths(workload, op)
    if method == "svd":
        return (matrix_rank(inputs, outputs, ratio, round_to),)
    kernel = numbers(op.attrs.get("kernel"), 2, 1)
    if method == "spatial_svd":
        return (spatial_rank(inputs, outputs, (kernel[0], kernel[1]), ratio, round_to),)
    return tucker_ranks(inputs, outputs, prod(kernel), ratio, round_to)


def factors(workload: Workload, op: Op, ranks: Ranks) -> tuple[Factor, ...]:
    """Return the layers of these ranks that would replace `op`; two ranks of a convolution mean Tucker-2.

    Empty where the operation is none that can be split, or where nothing would be saved.
    """
    weight = main_weight(workload, op)
    wanted = "tucker2" if len(ranks) == 2 else "spatial_svd" if op.kind is OpKind.CONV else "svd"
    before, after = workload.tensor[op.inputs[0]].shape, workload.tensor[op.outputs[0]].shape
    flat = op.kind is OpKind.LINEAR
    if weight is None or op.kind not in METHODS[wanted] or number(op.attrs.get("groups"), 1) != 1:
        return ()
    if not flat and len(after) != 4:
        return ()
    parts = _linear(before, after, *ranks) if flat else _CONV[wanted](op, before, after, *ranks)
    saves = sum(p.params for p in parts) < weight.elements and cost(parts, after) < op.macs
    return parts if saves else ()


def cost(parts: tuple[Factor, ...], after: tuple[int, ...]) -> int:
    """Return the MACs of thinner layers whose last one has an output of this shape."""
    batch = after[0] if len(after) == 4 else 1
    return batch * sum(p.params * p.positions for p in parts)


def layers(workload: Workload, step: LowRank) -> tuple[tuple[Op, Weight], ...]:
    """Return the layers that the step may split, whatever the ranks.

    Both widths are at least four multiples of `round_to`: below that a rank is rounding and nothing else. This also
    leaves input convolutions and classifiers with few outputs alone. Layers that share a weight are left alone too.
    """
    uses: dict[str, int] = {}
    for op in workload.ops:
        for name in op.weights:
            uses[name] = uses.get(name, 0) + 1
    found = []
    for op in workload.ops:
        weight = main_weight(workload, op)
        if weight is None or uses[weight.name] != 1 or path_of(weight) in step.keep:
            continue
        if methods(op, step.method) and min(_widths(workload, op)) >= 4 * step.round_to:
            found.append((op, weight))
    return tuple(found)


def path_of(weight: Weight) -> str:
    """Return the path of the layer that a weight belongs to."""
    return weight.name.removesuffix(".weight")


def eligible(workload: Workload, step: LowRank) -> tuple[tuple[Op, Weight, tuple[Factor, ...]], ...]:
    """Return the layers that the step replaces, and by what: those of `ranks`, or all that gain at the budget."""
    if step.ranks is not None:
        return _explicit(workload, dict(step.ranks))
    found = []
    for op, weight in layers(workload, step):
        ranks = budget(workload, op, methods(op, step.method)[0], step.rank_ratio, step.round_to)
        if parts := factors(workload, op, ranks):
            found.append((op, weight, parts))
    return tuple(found)


def _explicit(workload: Workload, ranks: dict[str, Ranks]) -> tuple[tuple[Op, Weight, tuple[Factor, ...]], ...]:
    found = []
    for op in workload.ops:
        weight = main_weight(workload, op)
        path = "" if weight is None else path_of(weight)
        if weight is not None and path in ranks and (parts := factors(workload, op, ranks[path])):
            found.append((op, weight, parts))
    if missing := set(ranks) - {path_of(weight) for _, weight, _ in found}:
        raise NotApplicable(
            f"low_rank: {', '.join(sorted(missing)[:3])} cannot be split into layers of the ranks given",
            where="no such layer, not of a kind that can be split, or no MACs saved at these ranks",
            remedy="Ask for smaller ranks, or leave the layer out.",
        )
    return tuple(found)


def _widths(workload: Workload, op: Op) -> tuple[int, int]:
    """Return input and output channels or features."""
    before, after = workload.tensor[op.inputs[0]].shape, workload.tensor[op.outputs[0]].shape
    axis = -1 if op.kind is OpKind.LINEAR else min(1, len(before) - 1)
    return before[axis], after[axis]


def _linear(before: tuple[int, ...], after: tuple[int, ...], rank: int) -> tuple[Factor, ...]:
    return (
        Factor(before[-1], rank, (), (), (), after[:-1]),
        Factor(rank, after[-1], (), (), (), after[:-1]),
    )


def _svd_conv(op: Op, before: tuple[int, ...], after: tuple[int, ...], rank: int) -> tuple[Factor, ...]:
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    return (
        Factor(before[1], rank, (1, 1), stride, padding, after[2:]),
        Factor(rank, after[1], (1, 1), (1, 1), (0, 0), after[2:]),
    )


def _spatial(op: Op, before: tuple[int, ...], after: tuple[int, ...], rank: int) -> tuple[Factor, ...]:
    high, wide = numbers(op.attrs.get("kernel"), 2, 1)
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    return (
        Factor(before[1], rank, (high, 1), (stride[0], 1), (padding[0], 0), (after[2], before[3])),
        Factor(rank, after[1], (1, wide), (1, stride[1]), (0, padding[1]), after[2:]),
    )


def _tucker(op: Op, before: tuple[int, ...], after: tuple[int, ...], first: int, second: int) -> tuple[Factor, ...]:
    kernel = numbers(op.attrs.get("kernel"), 2, 1)
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    return (
        Factor(before[1], first, (1, 1), (1, 1), (0, 0), before[2:]),
        Factor(first, second, kernel, stride, padding, after[2:]),
        Factor(second, after[1], (1, 1), (1, 1), (0, 0), after[2:]),
    )


_CONV: dict[str, Callable[..., tuple[Factor, ...]]] = {
    "svd": _svd_conv, "spatial_svd": _spatial, "tucker2": _tucker,
}  # fmt: skip
