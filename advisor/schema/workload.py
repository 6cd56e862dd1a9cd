"""What a model asks of a machine: operations, tensors and weights, as one pass over the network saw them.

Conventions: 1 MAC is one multiplication with its addition; FLOPs = 2 x MACs. Shapes include the batch dimension
and images are NCHW. Sizes are elements; bytes follow from the dtype of each tensor and weight.
"""

from enum import StrEnum
from functools import cached_property
from math import prod

from .base import Record

ITEM_BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "int64": 64, "int32": 32,
    "int16": 16, "int8": 8, "uint8": 8, "bool": 8, "int4": 4,
}  # fmt: skip


class OpKind(StrEnum):
    """The closed vocabulary of operations that rules and predictors speak of."""

    CONV = "conv"  # dense k x k convolution, k > 1
    CONV_1X1 = "conv_1x1"  # dense pointwise convolution
    CONV_GROUPED = "conv_grouped"  # 1 < groups < channels
    CONV_DEPTHWISE = "conv_depthwise"  # groups == input channels > 1
    CONV_TRANSPOSED = "conv_transposed"
    LINEAR = "linear"  # activation x weight matrix
    MATMUL = "matmul"  # activation x activation
    ATTENTION = "attention"  # fused scaled dot-product attention
    NORM_BATCH = "norm_batch"
    NORM_LAYER = "norm_layer"  # layer, group, instance and RMS normalisation
    SOFTMAX = "softmax"
    ACTIVATION = "activation"
    ELEMENTWISE = "elementwise"
    POOL = "pool"
    REDUCE = "reduce"
    RESIZE = "resize"
    CONCAT = "concat"
    MOVE = "move"  # copies: transpose made real, pad, gather, roll, slice that copies
    VIEW = "view"  # no data moves
    QUANTIZE = "quantize"  # quantize and dequantize nodes
    OTHER = "other"  # known to be cheap (comparison, constant)
    UNKNOWN = "unknown"  # counted and reported, never taken for zero


CONV_KINDS = frozenset(
    {OpKind.CONV, OpKind.CONV_1X1, OpKind.CONV_GROUPED, OpKind.CONV_DEPTHWISE, OpKind.CONV_TRANSPOSED}
)
WEIGHTED_KINDS = CONV_KINDS | {OpKind.LINEAR}
MAC_KINDS = WEIGHTED_KINDS | {OpKind.MATMUL, OpKind.ATTENTION}


class Tensor(Record):
    """An activation (or input, or output) of the network; `alias_of` names the tensor whose storage it shares."""

    id: int
    shape: tuple[int, ...]
    dtype: str = "float32"
    alias_of: int | None = None

    @property
    def elements(self) -> int:
        """Number of elements, batch included."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in bytes at this dtype."""
        return (self.elements * ITEM_BITS[self.dtype] + 7) // 8


class Storage(Record):
    """How a weight is stored: dtype, where its scales sit, and how many of its values are non-zero."""

    dtype: str = "float32"
    granularity: str = "none"  # none | per_tensor | per_channel | group
    group_size: int = 0
    density: float = 1.0  # share of non-zero values
    pattern: str = "dense"  # dense | unstructured | 2:4


class Weight(Record):
    """A parameter or persistent buffer; `counted` is False for buffers (BN statistics), which are no parameters."""

    name: str
    shape: tuple[int, ...]
    role: str  # weight | bias | norm | embedding | buffer
    counted: bool = True
    storage: Storage = Storage()

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)


Attr = int | float | bool | str | tuple[int, ...] | None


class Op(Record):
    """One operation in execution order.

    `inputs` and `outputs` are tensor ids, `weights` names of `Weight`s, `precision` the arithmetic it runs in
    (fp32, fp16, bf16, int8). `attrs` holds what later rooms need to recompute it: for convolutions `kernel`, `stride`,
    `padding`, `dilation` (tuples), `groups`, `in_channels`, `out_channels`; for linear `in_features`, `out_features`;
    for concat, softmax and split `dim`; for activations and elementwise `function` (relu, silu, add, mul ...);
    for views and moves `function` (reshape, permute, slice, pad, ...), and `dims`/`start`/`end`/`dim` where they apply;
    for attention `heads`, `head_dim`, `tokens`.
    """

    index: int
    kind: OpKind
    name: str  # the framework's own name: aten.convolution.default, Conv
    module: str = ""  # path of the innermost nn.Module, "" where unknown
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    weights: tuple[str, ...] = ()
    macs: int = 0
    precision: str = "fp32"
    attrs: dict[str, Attr] = {}


class Workload(Record):
    """The whole network at one input size."""

    version: int = 1
    name: str
    source: str = ""
    format: str = "torch"  # torch | onnx
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: tuple[Tensor, ...]
    weights: tuple[Weight, ...]
    ops: tuple[Op, ...]
    modules: dict[str, str] = {}  # module path -> class name
    notes: tuple[str, ...] = ()

    @cached_property
    def tensor(self) -> dict[int, Tensor]:
        """Tensors by id."""
        return {t.id: t for t in self.tensors}

    @cached_property
    def weight(self) -> dict[str, Weight]:
        """Weights by name."""
        return {w.name: w for w in self.weights}

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass at this batch."""
        return sum(op.macs for op in self.ops)

    @cached_property
    def params(self) -> int:
        """Parameters (buffers excluded, shared ones once)."""
        return sum(w.elements for w in self.weights if w.counted)

    @cached_property
    def stored_bytes(self) -> int:
        """Bytes of all weights and buffers in their storage dtype, without quantization scales."""
        return sum((w.elements * ITEM_BITS[w.storage.dtype] + 7) // 8 for w in self.weights)

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the inputs."""
        return tuple(self.tensor[i].shape for i in self.inputs)

    @property
    def batch(self) -> int:
        """Batch size of the first input."""
        return self.input_shapes[0][0] if self.inputs and self.input_shapes[0] else 1

    def weight_elements(self, op: Op) -> int:
        """Elements of all weights that `op` reads."""
        return sum(self.weight[name].elements for name in op.weights if name in self.weight)


NO_MODEL = Workload(name="", inputs=(), outputs=(), tensors=(), weights=(), ops=())  # where facts are of no network
