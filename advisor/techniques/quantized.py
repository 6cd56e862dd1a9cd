"""What a network looks like when weights and activations are int8; shared by static PTQ and QAT.

Batch norms are folded first. Convolutions, linear layers and matrix products compute in int8, and so do additions,
products, pools, concatenations, resizes and simple activations that read an int8 tensor (as onnxruntime quantizes
them). LayerNorm, softmax, GELU, hard-swish and their like stay in float between a dequantize and a quantize node, which
are inserted where a tensor changes its form; a quantize node follows the float input of the network and a dequantize
node comes before its outputs. In transformers the sums and concatenations that pass tokens from block to block stay in
float too, as `static_int8.scope` leaves them.
"""

from collections.abc import Collection
from itertools import count

from advisor.schema import MAC_KINDS, WEIGHTED_KINDS, Op, OpKind, Storage, Tensor, Weight, Workload

from .editing import main_weight, renumber, revise
from .folding import fold_batch_norm

_JOINERS = frozenset({OpKind.ELEMENTWISE, OpKind.POOL, OpKind.CONCAT, OpKind.RESIZE, OpKind.REDUCE})
_CARRIERS = frozenset({OpKind.VIEW, OpKind.MOVE})
_TABLED = frozenset({"relu", "relu6", "leaky_relu", "sigmoid", "silu"})  # fused, or a table of 256 values
_ARITHMETIC = frozenset({"add", "mul", "mean", ""})


def quantized(
    workload: Workload,
    granularity: str,
    float_kinds: Collection[str] = (),
    float_layers: Collection[str] = (),
) -> Workload:
    """Return the workload in int8.

    Operations of `float_kinds` (OpKind values) stay in float, and layers of `float_layers` (names of operations, or of
    weights without their ending).
    """
    folded = fold_batch_norm(workload)
    return _Quantizer(folded, granularity, float_kinds, float_layers).run()


class _Quantizer:
    def __init__(
        self, workload: Workload, granularity: str, float_kinds: Collection[str], float_layers: Collection[str]
    ) -> None:
        self.workload = workload
        self.granularity = granularity
        self.float_kinds = frozenset(float_kinds)
        self.float_layers = frozenset(float_layers)
        self.integer: set[int] = set()  # tensors that exist as int8
        self.tensors = dict(workload.tensor)
        self.weights: dict[str, Weight] = {}
        self.ops: list[Op] = []
        self.ids = count(max(self.tensors, default=0) + 1)
        self.passes_tokens = _passes_tokens(workload)
        self.other_form: dict[int, int] = {}  # tensor -> the same values in the other form

    def run(self) -> Workload:
        for op in self.workload.ops:
            self._visit(op)
        outputs = tuple(self._as_float(t) if t in self.integer else t for t in self.workload.outputs)
        return revise(
            self.workload,
            ops=renumber(self.ops),
            tensors=tuple(self.tensors.values()),
            weights=tuple(self.weights.get(w.name, w) for w in self.workload.weights),
            outputs=outputs,
        )

    def _visit(self, op: Op) -> None:
        if op.kind in _CARRIERS:
            self._carry(op)
        elif self._is_integer(op):
            inputs = tuple(self._as_int8(t) for t in op.inputs)
            self.ops.append(op.model_copy(update={"inputs": inputs, "precision": "int8"}))
            for tensor in op.outputs:
                self._set_int8(tensor)
            self._quantize_weights(op)
        else:
            inputs = tuple(self._as_float(t) for t in op.inputs)
            self.ops.append(op.model_copy(update={"inputs": inputs}))
        if op.kind not in _CARRIERS:
            self._own_storage(op)

    def _own_storage(self, op: Op) -> None:
        """An operation in place no longer is one where its result has another form than what it overwrites."""
        for tensor in op.outputs:
            new = self.tensors[tensor]
            if new.alias_of is not None and self.tensors[new.alias_of].dtype != new.dtype:
                self.tensors[tensor] = new.model_copy(update={"alias_of": None})

    def _carry(self, op: Op) -> None:
        """Views and copies keep the form of what they read; the input image is quantized before them."""
        self.ops.append(op)
        for tensor in op.outputs if op.inputs else ():
            if op.inputs[0] in self.integer and not op.weights:
                self._set_int8(tensor)
            if self.tensors[tensor].alias_of is not None:
                source = self.tensors[op.inputs[0]]
                root = source.id if source.alias_of is None else source.alias_of
                self.tensors[tensor] = self.tensors[tensor].model_copy(update={"alias_of": root})

    def _is_integer(self, op: Op) -> bool:
        if op.kind in self.float_kinds or not op.outputs or self._named(op):
            return False
        if op.kind in MAC_KINDS:
            return True
        if op.kind is OpKind.ACTIVATION:
            return op.attrs.get("function") in _TABLED and op.inputs[0] in self.integer
        if op.kind not in _JOINERS or not op.inputs:
            return False
        if op.kind in (OpKind.ELEMENTWISE, OpKind.REDUCE) and op.attrs.get("function", "") not in _ARITHMETIC:
            return False
        if self.passes_tokens and _joins(op):
            return False
        return any(t in self.integer for t in op.inputs)

    def _named(self, op: Op) -> bool:
        """Whether the operation is one of the layers to keep in float."""
        if not self.float_layers:
            return False
        return bool(self.float_layers & {op.name, *(name.removesuffix(".weight") for name in op.weights)})

    def _set_int8(self, tensor: int) -> None:
        old = self.tensors[tensor]
        if old.dtype in ("float32", "float16", "bfloat16", "float64"):
            self.tensors[tensor] = old.model_copy(update={"dtype": "int8"})
            self.integer.add(tensor)

    def _as_int8(self, tensor: int) -> int:
        if tensor in self.integer or not self.tensors[tensor].dtype.startswith(("float", "bfloat")):
            return tensor
        return self._convert(tensor, "int8", "quantize")

    def _as_float(self, tensor: int) -> int:
        return self._convert(tensor, "float32", "dequantize") if tensor in self.integer else tensor

    def _convert(self, tensor: int, dtype: str, function: str) -> int:
        if tensor not in self.other_form:
            new = next(self.ids)
            self.tensors[new] = Tensor(id=new, shape=self.tensors[tensor].shape, dtype=dtype)
            self.ops.append(
                Op(
                    index=0,
                    kind=OpKind.QUANTIZE,
                    name=function,
                    inputs=(tensor,),
                    outputs=(new,),
                    attrs={"function": function},
                )
            )
            self.other_form[tensor] = new
            if dtype == "int8":
                self.integer.add(new)
        return self.other_form[tensor]

    def _quantize_weights(self, op: Op) -> None:
        if op.kind not in WEIGHTED_KINDS:
            return
        main = main_weight(self.workload, op)
        for name in op.weights:
            weight = self.workload.weight[name]
            if weight is main or (main is None and weight.role == "weight"):
                storage = weight.storage.model_copy(update={"dtype": "int8", "granularity": self.granularity})
                self.weights[name] = weight.model_copy(update={"storage": storage})
            elif weight.role == "bias":
                self.weights[name] = weight.model_copy(update={"storage": Storage(dtype="int32")})


def _passes_tokens(workload: Workload) -> bool:
    """Whether the network has LayerNorms, and attention from which a layer is still to come."""
    kinds = [op.kind for op in workload.ops]
    if OpKind.NORM_LAYER not in kinds:
        return False
    attends = [i for i, kind in enumerate(kinds) if kind in (OpKind.SOFTMAX, OpKind.ATTENTION)]
    return bool(attends) and any(kind in MAC_KINDS for kind in kinds[attends[0] + 1 :])


def _joins(op: Op) -> bool:
    """Whether the operation adds two tensors that are computed, or concatenates."""
    if op.kind is OpKind.CONCAT:
        return True
    sums = op.kind is OpKind.ELEMENTWISE and op.attrs.get("function", "") in ("add", "")
    return sums and not op.weights and len(op.inputs) > 1
