"""Ranks and costs of factorized layers, by arithmetic alone."""

from dataclasses import dataclass
from math import prod, sqrt

from advisor.schema import Op, OpKind, Weight, Workload
from advisor.techniques.editing import main_weight, number, numbers

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


def factors(workload: Workload, op: Op, method: str, ratio: float, round_to: int) -> tuple[Factor, ...]:
    """Return the layers that would replace `op`, empty where it does not qualify or nothing would be saved.

    A layer qualifies if both its widths are at least four multiples of `round_to`: below that a rank is rounding and
    nothing else. This also leaves input convolutions and classifiers with few outputs alone.
    """
    weight = main_weight(workload, op)
    if op.kind not in METHODS[method] or weight is None or number(op.attrs.get("groups"), 1) != 1:
        return ()
    before, after = workload.tensor[op.inputs[0]].shape, workload.tensor[op.outputs[0]].shape
    if op.kind is OpKind.LINEAR:
        parts = _svd_linear(before, after, ratio, round_to)
    elif len(after) != 4:
        return ()
    else:
        parts = _CONV[method](op, before, after, ratio, round_to)
    narrow = min(parts[0].channels_in, parts[-1].channels_out) < 4 * round_to
    if narrow or sum(p.params for p in parts) >= weight.elements or _macs(parts, after) >= op.macs:
        return ()
    return parts


def _macs(parts: tuple[Factor, ...], after: tuple[int, ...]) -> int:
    batch = after[0] if len(after) == 4 else 1
    return batch * sum(p.params * p.positions for p in parts)


def _svd_linear(before: tuple[int, ...], after: tuple[int, ...], ratio: float, round_to: int) -> tuple[Factor, ...]:
    rank = matrix_rank(before[-1], after[-1], ratio, round_to)
    return (
        Factor(before[-1], rank, (), (), (), after[:-1]),
        Factor(rank, after[-1], (), (), (), after[:-1]),
    )


def _svd_conv(
    op: Op, before: tuple[int, ...], after: tuple[int, ...], ratio: float, round_to: int
) -> tuple[Factor, ...]:
    rank = matrix_rank(before[1], after[1], ratio, round_to)
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    return (
        Factor(before[1], rank, (1, 1), stride, padding, after[2:]),
        Factor(rank, after[1], (1, 1), (1, 1), (0, 0), after[2:]),
    )


def _spatial(
    op: Op, before: tuple[int, ...], after: tuple[int, ...], ratio: float, round_to: int
) -> tuple[Factor, ...]:
    high, wide = numbers(op.attrs.get("kernel"), 2, 1)
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    rank = spatial_rank(before[1], after[1], (high, wide), ratio, round_to)
    return (
        Factor(before[1], rank, (high, 1), (stride[0], 1), (padding[0], 0), (after[2], before[3])),
        Factor(rank, after[1], (1, wide), (1, stride[1]), (0, padding[1]), after[2:]),
    )


def _tucker(op: Op, before: tuple[int, ...], after: tuple[int, ...], ratio: float, round_to: int) -> tuple[Factor, ...]:
    kernel = numbers(op.attrs.get("kernel"), 2, 1)
    stride, padding = numbers(op.attrs.get("stride"), 2, 1), numbers(op.attrs.get("padding"), 2, 0)
    first, second = tucker_ranks(before[1], after[1], prod(kernel), ratio, round_to)
    return (
        Factor(before[1], first, (1, 1), (1, 1), (0, 0), before[2:]),
        Factor(first, second, kernel, stride, padding, after[2:]),
        Factor(second, after[1], (1, 1), (1, 1), (0, 0), after[2:]),
    )


_CONV = {"svd": _svd_conv, "spatial_svd": _spatial, "tucker2": _tucker}


def eligible(
    workload: Workload, method: str, ratio: float, round_to: int
) -> tuple[tuple[Op, Weight, tuple[Factor, ...]], ...]:
    """Return the layers that the method would replace, and by what; layers that share a weight are left alone."""
    uses: dict[str, int] = {}
    for op in workload.ops:
        for name in op.weights:
            uses[name] = uses.get(name, 0) + 1
    found = []
    for op in workload.ops:
        weight = main_weight(workload, op)
        if weight is None or uses[weight.name] != 1:
            continue
        if parts := factors(workload, op, method, ratio, round_to):
            found.append((op, weight, parts))
    return tuple(found)
