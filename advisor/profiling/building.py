"""A workload under construction, used by both readers (torch and ONNX). Torch-free."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from advisor.schema import ITEM_BITS, Op, OpKind, Storage, Tensor, Weight, Workload
from advisor.schema.workload import Attr

from .patterns import fold_activations
from .weights import roles

# Dtypes that the schema does not name, by one of the same size (complex128 counts half).
_STAND_INS = {
    "complex64": "float64", "complex128": "float64", "uint4": "int4", "uint16": "int16", "uint32": "int32",
    "uint64": "int64", "quint8": "uint8", "qint8": "int8", "qint32": "int32",
}  # fmt: skip
_PRECISIONS = {"float16": "fp16", "bfloat16": "bf16", "int8": "int8", "uint8": "int8"}


@dataclass(frozen=True)
class Blank:
    """A weight before its role is known; `counted` False marks buffers."""

    name: str
    shape: tuple[int, ...]
    counted: bool = True
    storage: Storage = field(default_factory=Storage)


@dataclass(frozen=True)
class Work:
    """What one operation does, apart from what it reads and writes."""

    kind: OpKind
    macs: int = 0
    attrs: dict[str, Attr] = field(default_factory=dict)
    module: str = ""
    precision: str = ""


@dataclass
class Draft:
    """Tensors and operations in order of execution; ids are handed out here."""

    tensors: list[Tensor] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    found: dict[str, "Blank"] = field(default_factory=dict)  # weights that are no parameters of a module
    quantized: dict[str, str] = field(default_factory=dict)  # integer weights and the granularity of their scales

    def add_tensor(self, shape: Iterable[int], dtype: str, alias_of: int | None = None) -> int:
        """Return the id of a new tensor; `alias_of` is resolved to the first tensor of that storage."""
        if alias_of is not None and self.tensors[alias_of].alias_of is not None:
            alias_of = self.tensors[alias_of].alias_of
        number = len(self.tensors)
        self.tensors.append(Tensor(id=number, shape=tuple(shape), dtype=plain_dtype(dtype), alias_of=alias_of))
        return number

    def add_op(
        self, name: str, work: Work, inputs: Iterable[int], outputs: Iterable[int], weights: Iterable[str] = ()
    ) -> None:
        """Append an operation; its precision is that of its first output unless the work says otherwise."""
        outputs = tuple(outputs)
        dtype = self.tensors[outputs[0]].dtype if outputs else "float32"
        self.ops.append(
            Op(
                index=len(self.ops),
                kind=work.kind,
                name=name,
                module=work.module,
                inputs=tuple(inputs),
                outputs=outputs,
                weights=tuple(dict.fromkeys(weights)),
                macs=work.macs,
                precision=work.precision or _PRECISIONS.get(dtype, "fp32"),
                attrs=work.attrs,
            )
        )

    def finish(
        self,
        *,
        name: str,
        source: str,
        format: str,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        weights: Iterable[Blank],
        modules: dict[str, str] | None = None,
    ) -> Workload:
        """Drop what nobody reads, fold spelt-out activations, give weights their roles and freeze."""
        ops = fold_activations(_without_dead_results(self.ops, outputs), outputs)
        ops = tuple(op.model_copy(update={"index": i}) for i, op in enumerate(ops))
        used = set(inputs) | set(outputs) | {t for op in ops for t in (*op.inputs, *op.outputs)}
        used |= {root for t in used if (root := self.tensors[t].alias_of) is not None}
        blanks = tuple(self._as_quantized(blank) for blank in (*weights, *self.found.values()))
        role = roles(ops, {b.name: b.shape for b in blanks}, {b.name for b in blanks if not b.counted})
        return Workload(
            name=name,
            source=source,
            format=format,
            inputs=inputs,
            outputs=outputs,
            tensors=tuple(t for t in self.tensors if t.id in used),
            weights=tuple(
                Weight(name=b.name, shape=b.shape, role=role[b.name], counted=b.counted, storage=b.storage)
                for b in blanks
            ),
            ops=ops,
            modules=modules or {},
            notes=(*self.notes, *_unknown_notes(ops)),
        )

    def _as_quantized(self, blank: Blank) -> Blank:
        """Count an integer kernel as a parameter: exporters keep it as a buffer."""
        if blank.name not in self.quantized:
            return blank
        storage = blank.storage.model_copy(update={"granularity": self.quantized[blank.name]})
        return replace(blank, counted=True, storage=storage)


def plain_dtype(dtype: str) -> str:
    """Return the dtype of the schema with the same number of bits."""
    dtype = dtype.removeprefix("torch.")
    if dtype in ITEM_BITS:
        return dtype
    if dtype in _STAND_INS:
        return _STAND_INS[dtype]
    return "int8" if "8" in dtype else "float32"


def _without_dead_results(ops: list[Op], outputs: tuple[int, ...]) -> tuple[Op, ...]:
    """Remove side results that nobody reads (batch statistics, pooling indices) and constants made in vain."""
    read = set(outputs) | {t for op in ops for t in op.inputs}
    kept = []
    for op in ops:
        alive = tuple(t for t in op.outputs if t in read)
        if not alive and op.attrs.get("function") == "constant":
            continue
        if op.kind is not OpKind.VIEW and len(op.outputs) > 1:
            op = op.model_copy(update={"outputs": alive or op.outputs[:1]})  # noqa: PLW2901
        kept.append(op)
    return tuple(kept)


def _unknown_notes(ops: tuple[Op, ...]) -> tuple[str, ...]:
    counts = Counter(op.name for op in ops if op.kind is OpKind.UNKNOWN)
    return tuple(
        f"{name} ({count} times) is not known to the profiler: its cost is missing" for name, count in counts.items()
    )
