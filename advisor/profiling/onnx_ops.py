"""Which kind of operation each ONNX operator is, and where its operands sit. Tables, nothing else.

Domains are ignored: com.microsoft operators stand beside the standard ones. Unlike in torch, Transpose, Slice and Split
copy in ONNX runtimes and count as MOVE; Reshape and its like are VIEW.
"""

from dataclasses import dataclass

from advisor.schema import OpKind

from .tables import Group, flatten

_K = OpKind
TABLE: dict[str, tuple[OpKind, str]] = flatten(
    Group(_K.ACTIVATION, "Relu", "relu"),
    Group(_K.ACTIVATION, "LeakyRelu QLinearLeakyRelu", "leaky_relu"),
    Group(_K.ACTIVATION, "Sigmoid QLinearSigmoid", "sigmoid"),
    Group(_K.ACTIVATION, "HardSigmoid", "hardsigmoid"),
    Group(_K.ACTIVATION, "HardSwish", "hardswish"),
    Group(_K.ACTIVATION, "Gelu FastGelu BiasGelu", "gelu"),
    Group(_K.ACTIVATION, "QuickGelu Swish", "silu"),
    Group(_K.ACTIVATION, "Tanh", "tanh"),
    Group(_K.ACTIVATION, "Elu", "elu"),
    Group(_K.ACTIVATION, "Selu", "selu"),
    Group(_K.ACTIVATION, "Celu", "celu"),
    Group(_K.ACTIVATION, "Mish", "mish"),
    Group(_K.ACTIVATION, "PRelu", "prelu"),
    Group(_K.ACTIVATION, "Softplus", "softplus"),
    Group(_K.ACTIVATION, "Erf", "erf"),
    Group(_K.ACTIVATION, "ThresholdedRelu", "threshold"),
    Group(_K.NORM_BATCH, "BatchNormalization", "batch_norm"),
    Group(_K.NORM_LAYER, "LayerNormalization SkipLayerNormalization", "layer_norm"),
    Group(_K.NORM_LAYER, "GroupNormalization GroupNorm", "group_norm"),
    Group(_K.NORM_LAYER, "RMSNormalization SimplifiedLayerNormalization", "rms_norm"),
    Group(_K.NORM_LAYER, "InstanceNormalization", "instance_norm"),
    Group(_K.NORM_LAYER, "LpNormalization", "normalize"),
    Group(_K.SOFTMAX, "Softmax QLinearSoftmax", "softmax"),
    Group(_K.SOFTMAX, "LogSoftmax", "log_softmax"),
    Group(_K.ELEMENTWISE, "Add Sum QLinearAdd", "add"),
    Group(_K.ELEMENTWISE, "Mul QLinearMul", "mul"),
    Group(_K.ELEMENTWISE, "Sub", "sub"),
    Group(_K.ELEMENTWISE, "Div", "div"),
    Group(_K.ELEMENTWISE, "Pow", "pow"),
    Group(_K.ELEMENTWISE, "Sqrt", "sqrt"),
    Group(_K.ELEMENTWISE, "Clip", "clamp"),
    Group(_K.ELEMENTWISE, "Where", "where"),
    Group(_K.ELEMENTWISE, "Max", "maximum"),
    Group(_K.ELEMENTWISE, "Min", "minimum"),
    Group(_K.ELEMENTWISE, """Neg Abs Exp Log Reciprocal Sin Cos Tan Atan Asin Acos Floor Ceil Round Sign Mod And Or Not
        Xor IsNaN IsInf"""),
    Group(_K.POOL, "MaxPool", "max_pool"),
    Group(_K.POOL, "AveragePool QLinearAveragePool", "avg_pool"),
    Group(_K.POOL, "GlobalAveragePool QLinearGlobalAveragePool", "adaptive_avg_pool"),
    Group(_K.POOL, "GlobalMaxPool", "adaptive_max_pool"),
    Group(_K.POOL, "LpPool", "lp_pool"),
    Group(_K.POOL, "RoiAlign", "roi_align"),
    Group(_K.REDUCE, "ReduceMean QLinearReduceMean", "mean"),
    Group(_K.REDUCE, "ReduceSum", "sum"),
    Group(_K.REDUCE, "ReduceMax", "amax"),
    Group(_K.REDUCE, "ReduceMin", "amin"),
    Group(_K.REDUCE, "ReduceProd", "prod"),
    Group(_K.REDUCE, "ReduceL1 ReduceL2 ReduceSumSquare", "norm"),
    Group(_K.REDUCE, "ReduceLogSumExp", "logsumexp"),
    Group(_K.REDUCE, "ArgMax", "argmax"),
    Group(_K.REDUCE, "ArgMin", "argmin"),
    Group(_K.REDUCE, "CumSum", "cumsum"),
    Group(_K.RESIZE, "Resize Upsample", "nearest"),
    Group(_K.RESIZE, "GridSample", "grid_sample"),
    Group(_K.CONCAT, "Concat QLinearConcat", "concat"),
    Group(_K.MOVE, "Transpose", "permute"),
    Group(_K.MOVE, "Slice", "slice"),
    Group(_K.MOVE, "Split", "split"),
    Group(_K.MOVE, "Gather GatherElements GatherND Compress", "gather"),
    Group(_K.MOVE, "ScatterND ScatterElements", "scatter"),
    Group(_K.MOVE, "Pad", "pad"),
    Group(_K.MOVE, "Expand", "expand"),
    Group(_K.MOVE, "Tile", "repeat"),
    Group(_K.MOVE, "Cast", "cast"),
    Group(_K.MOVE, "DepthToSpace", "pixel_shuffle"),
    Group(_K.MOVE, "SpaceToDepth", "pixel_unshuffle"),
    Group(_K.MOVE, "Trilu", "mask"),
    Group(_K.MOVE, "TopK", "sort"),
    Group(_K.MOVE, "Col2Im", "fold"),
    Group(_K.MOVE, "ReverseSequence", "flip"),
    Group(_K.VIEW, "Reshape Flatten", "reshape"),
    Group(_K.VIEW, "Squeeze", "squeeze"),
    Group(_K.VIEW, "Unsqueeze", "unsqueeze"),
    Group(_K.VIEW, "Identity Dropout CastLike", "identity"),
    Group(_K.QUANTIZE, "QuantizeLinear DynamicQuantizeLinear", "quantize"),
    Group(_K.QUANTIZE, "DequantizeLinear", "dequantize"),
    Group(_K.OTHER, "Constant ConstantOfShape Range Shape Size EyeLike RandomNormalLike", "constant"),
    Group(_K.OTHER, "Equal Greater GreaterOrEqual Less LessOrEqual", "compare"),
    Group(_K.OTHER, "NonZero OneHot Unique", "index"),
    Group(_K.OTHER, "NonMaxSuppression", "nms"),
)  # fmt: skip


@dataclass(frozen=True)
class Operands:
    """Places among a node's inputs: data, weight, bias, and the weight's scale where it is quantized."""

    data: int
    weight: int
    bias: int | None = None
    scale: int | None = None


CONVOLUTIONS = {
    "Conv": Operands(0, 1, 2),
    "ConvTranspose": Operands(0, 1, 2),
    "FusedConv": Operands(0, 1, 2),
    "ConvInteger": Operands(0, 1),
    "QLinearConv": Operands(0, 3, 8, 4),
}
PRODUCTS = {
    "MatMul": Operands(0, 1),
    "Gemm": Operands(0, 1, 2),
    "FusedMatMul": Operands(0, 1),
    "FusedGemm": Operands(0, 1, 2),
    "MatMulInteger": Operands(0, 1),
    "MatMulIntegerToFloat": Operands(0, 1, 6, 3),
    "DynamicQuantizeMatMul": Operands(0, 1, 4, 2),
    "QLinearMatMul": Operands(0, 3, None, 4),
    "QGemm": Operands(0, 3, 6, 4),
}
ATTENTIONS = frozenset({"Attention", "MultiHeadAttention"})
INTEGER = frozenset(
    {
        "ConvInteger", "QLinearConv", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
        "QLinearMatMul", "QGemm",
    }
)  # fmt: skip

# Inputs that hold settings, not numbers of the network: the first entry that is not data.
SETTINGS_FROM = {
    "Resize": 1, "Upsample": 1, "Clip": 1, "Reshape": 1, "Slice": 1, "Split": 1, "Pad": 1, "Expand": 1, "Tile": 1,
    "Squeeze": 1, "Unsqueeze": 1, "TopK": 1, "ReduceMean": 1, "ReduceSum": 1, "ReduceMax": 1, "ReduceMin": 1,
    "ReduceL2": 1, "QuantizeLinear": 1, "DequantizeLinear": 1, "CumSum": 1, "Dropout": 1, "Pow": 1, "OneHot": 0,
}  # fmt: skip
STATISTICS = {"BatchNormalization": (3, 4)}  # running mean and variance: buffers


def look_up(operator: str) -> tuple[OpKind, str]:
    """Return kind and function; unknown ones keep their name as function."""
    return TABLE.get(operator, (OpKind.UNKNOWN, operator))
