"""Multiply-accumulates from shapes alone (1 MAC = one multiplication with its addition). Torch-free.

Convolution: every output element needs in_channels / groups x kernel products; transposed: every input element
needs out_channels / groups x kernel. Bias additions, normalisations and activations count zero MACs.
"""

from math import prod

from advisor.schema import OpKind

Shape = tuple[int, ...]


def conv_macs(input_shape: Shape, weight_shape: Shape, output_shape: Shape, transposed: bool = False) -> int:
    """Return the MACs of a convolution.

    `weight_shape` is (out, in / groups, *kernel), transposed (in, out / groups, *kernel).
    """
    per_element = prod(weight_shape[1:])
    return prod(input_shape if transposed else output_shape) * per_element


def conv_kind(weight_shape: Shape, groups: int, in_channels: int, transposed: bool = False) -> OpKind:
    """Sort a convolution by its groups and kernel."""
    if transposed:
        return OpKind.CONV_TRANSPOSED
    if groups > 1:
        return OpKind.CONV_DEPTHWISE if groups == in_channels else OpKind.CONV_GROUPED
    return OpKind.CONV_1X1 if prod(weight_shape[2:]) == 1 else OpKind.CONV


def matmul_macs(left: Shape, right: Shape, output_shape: Shape) -> int:
    """Return the MACs of a (batched) matrix product: output elements x length of the contracted axis."""
    if not left:
        return prod(right)
    return prod(output_shape) * left[-1]


def attention_macs(query: Shape, key: Shape, value: Shape) -> int:
    """Return batch x heads x N x M x (D of the query-key product + D of the score-value product)."""
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])
