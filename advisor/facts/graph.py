"""Patterns in a workload's graph that facts are made of: who reads what, gates, residuals, foldable norms."""

from functools import cached_property
from math import prod

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Workload


class Graph:
    """Producers and readers of every tensor; views are looked through by `origin`."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.producer: dict[int, Op] = {}
        self.readers: dict[int, list[Op]] = {}
        for op in workload.ops:
            for tensor in op.outputs:
                self.producer[tensor] = op
            for tensor in op.inputs:
                self.readers.setdefault(tensor, []).append(op)

    def origin(self, tensor: int) -> Op | None:
        """The operation that computed a tensor, looking through views."""
        op = self.producer.get(tensor)
        while op is not None and op.kind in (OpKind.VIEW, OpKind.MOVE) and op.inputs:
            op = self.producer.get(op.inputs[0])
        return op

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self.workload.tensor[tensor].shape

    @cached_property
    def weighted(self) -> tuple[Op, ...]:
        """Convolutions and linear layers in order."""
        return tuple(op for op in self.workload.ops if op.kind in WEIGHTED_KINDS)

    def is_gate(self, op: Op) -> bool:
        """Whether this multiplies a feature map by one value per channel (squeeze-and-excitation)."""
        if op.kind is not OpKind.ELEMENTWISE or op.attrs.get("function") != "mul" or len(op.inputs) != 2:
            return False
        maps = [self.shape(t) for t in op.inputs]
        if any(len(s) != 4 for s in maps):
            return False
        areas = [prod(s[-2:]) for s in maps]
        if min(areas) != 1 or max(areas) == 1:
            return False
        gate = self.origin(op.inputs[areas.index(1)])
        return gate is not None and gate.attrs.get("function") in ("sigmoid", "hardsigmoid")

    def is_residual(self, op: Op) -> bool:
        """Whether this adds two activations of equal shape."""
        if op.kind is not OpKind.ELEMENTWISE or op.attrs.get("function") != "add" or len(op.inputs) != 2:
            return False
        left, right = op.inputs
        return left != right and self.shape(left) == self.shape(right) and prod(self.shape(left)[1:]) > 1

    def is_foldable(self, norm: Op) -> bool:
        """Whether a batch norm directly follows a weighted layer that nothing else reads."""
        source = self.producer.get(norm.inputs[0]) if norm.inputs else None
        return source is not None and source.kind in WEIGHTED_KINDS and len(self.readers[norm.inputs[0]]) == 1
