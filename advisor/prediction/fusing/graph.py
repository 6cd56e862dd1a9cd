"""A graph that passes may change: nodes in order of execution, tensors by id, and the way back to a Workload."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from advisor.schema import Op, OpKind, Tensor, Workload
from advisor.schema.workload import Attr


@dataclass(slots=True, eq=False)
class Node:
    """One operation on its way through the passes; `origin` is the record it came from, if any."""

    kind: OpKind
    function: str
    inputs: list[int]
    outputs: tuple[int, ...]
    attrs: dict[str, Attr]
    weights: tuple[str, ...] = ()
    macs: int = 0
    precision: str = "fp32"
    name: str = ""
    origin: Op | None = None
    fused: list[str] = field(default_factory=list)
    activated: bool = False  # an activation was absorbed: no sum may follow
    layout: str = ""  # blocked: channels in blocks; channels_last; "" for the plain one

    @classmethod
    def of(cls, op: Op) -> "Node":
        """Wrap an operation of a workload."""
        return cls(
            op.kind, str(op.attrs.get("function", "")), list(op.inputs), op.outputs, op.attrs, op.weights, op.macs,
            op.precision, op.name, op,
        )  # fmt: skip

    def retold(self, index: int) -> Op:
        """Return the operation; the record it came from is returned where nothing changed."""
        op = self.origin
        inputs, attrs = tuple(self.inputs), self.attrs
        if self.fused:
            attrs = {**attrs, "fused": "+".join(self.fused)}
        if self.layout:
            attrs = {**attrs, "layout": self.layout}
        if op is not None and (
            op.index == index and op.kind is self.kind and op.inputs == inputs and op.outputs == self.outputs
            and op.attrs is attrs and op.precision == self.precision and op.weights == self.weights
            and op.macs == self.macs
        ):  # fmt: skip
            return op
        # The parts are valid already; building without checks keeps fusion within a millisecond or two.
        return Op.trusted(
            index=index, kind=self.kind, name=self.name, module=op.module if op is not None else "", inputs=inputs,
            outputs=self.outputs, weights=self.weights, macs=self.macs, precision=self.precision, attrs=attrs,
        )  # fmt: skip


class Graph:
    """Nodes, tensors and outputs of a workload, to be changed in place by one pass after the other."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.nodes = [Node.of(op) for op in workload.ops]
        self.tensors = dict(workload.tensor)
        self.inputs = workload.inputs
        self.outputs = list(workload.outputs)
        self.integer = False  # whether activations are integers
        self._next = max(self.tensors, default=0) + 1

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self.tensors[tensor].shape

    def add_tensor(self, shape: tuple[int, ...], dtype: str = "float32") -> int:
        """Add a tensor with a storage of its own and return its id."""
        tensor = self._next
        self._next += 1
        self.tensors[tensor] = Tensor.trusted(id=tensor, shape=shape, dtype=dtype, alias_of=None)
        return tensor

    def set_dtype(self, tensor: int, dtype: str) -> None:
        """Store a tensor in another type, in a storage of its own."""
        shape = self.tensors[tensor].shape
        self.tensors[tensor] = Tensor.trusted(id=tensor, shape=shape, dtype=dtype, alias_of=None)

    def readers(self) -> dict[int, int]:
        """Count the readers of each tensor; being an output of the network counts as one."""
        counts: dict[int, int] = {}
        for node in self.nodes:
            for tensor in node.inputs:
                counts[tensor] = counts.get(tensor, 0) + 1
        for tensor in self.outputs:
            counts[tensor] = counts.get(tensor, 0) + 1
        return counts

    def users(self) -> dict[int, list[Node]]:
        """Return the nodes that read each tensor."""
        found: dict[int, list[Node]] = {}
        for node in self.nodes:
            for tensor in node.inputs:
                found.setdefault(tensor, []).append(node)
        return found

    def makers(self) -> dict[int, Node]:
        """Return the node that writes each tensor."""
        return {tensor: node for node in self.nodes for tensor in node.outputs}

    def rename(self, names: dict[int, int]) -> None:
        """Read other tensors in place of some; chains are followed."""

        def last(tensor: int) -> int:
            while tensor in names:
                tensor = names[tensor]
            return tensor

        for node in self.nodes:
            node.inputs = [last(t) if t in names else t for t in node.inputs]
        self.outputs = [last(t) if t in names else t for t in self.outputs]

    def drop(self, gone: Iterable[Node]) -> None:
        """Remove nodes."""
        ids = {id(node) for node in gone}
        if ids:
            self.nodes = [node for node in self.nodes if id(node) not in ids]

    def to_workload(self) -> Workload:
        """Return the graph as a workload: operations numbered by place, storages shared by views alone."""
        self._share()
        fields = {name: getattr(self.workload, name) for name in Workload.model_fields}
        fields["ops"] = tuple(node.retold(index) for index, node in enumerate(self.nodes))
        fields["tensors"] = tuple(self.tensors.values())
        fields["outputs"] = tuple(self.outputs)
        return Workload.model_construct(**fields)

    def _share(self) -> None:
        """Give views the storage of what they read, and everything else a storage of its own."""
        owner: dict[int, int] = {}
        for node in self.nodes:
            source = node.inputs[0] if node.kind is OpKind.VIEW and node.inputs else None
            root = owner.get(source, source) if source is not None else None
            for tensor in node.outputs:
                if root is not None:
                    owner[tensor] = root
                if self.tensors[tensor].alias_of != root:
                    old = self.tensors[tensor]
                    self.tensors[tensor] = Tensor.trusted(id=tensor, shape=old.shape, dtype=old.dtype, alias_of=root)
