"""Which kind of operation each ONNX operator is, and where its operands sit. Tables, nothing else.

Domains are ignored: com.microsoft operators stand beside the standard ones. Unlike in torch, Transpose, Slice and Split
copy in ONNX runtimes and count as MOVE; Reshape and its like are VIEW.
"""

from dataclasses import dataclass

from advisor.schema import OpKind

_K = OpKind
_GROUPS: dict[OpKind, dict[str, str]] = {
    _K.ACTIVATION: {
        "Relu": "relu", "LeakyRelu": "leaky_relu", "Sigmoid": "sigmoid", "HardSigmoid": "hardsigmoid",
        "HardSwish": "hardswish", "Tanh": "tanh", "Elu": "elu", "Selu": "selu", "Celu": "celu", "Gelu": "gelu",
        "FastGelu": "gelu", "BiasGelu": "gelu", "QuickGelu": "silu", "Swish": "silu", "Mish": "mish",
        "PRelu": "prelu", "Softplus": "softplus", "Erf": "erf", "ThresholdedRelu": "threshold",
        "QLinearSigmoid": "sigmoid", "QLinearLeakyRelu": "leaky_relu",
    },
    _K.NORM_BATCH: {"BatchNormalization": "batch_norm"},
    _K.NORM_LAYER: {
        "LayerNormalization": "layer_norm", "GroupNormalization": "group_norm", "RMSNormalization": "rms_norm",
        "InstanceNormalization": "instance_norm", "SkipLayerNormalization": "layer_norm",
        "SimplifiedLayerNormalization": "rms_norm", "GroupNorm": "group_norm", "LpNormalization": "normalize",
    },
    _K.SOFTMAX: {"Softmax": "softmax", "LogSoftmax": "log_softmax", "QLinearSoftmax": "softmax"},
    _K.ELEMENTWISE: {
        **{name: name.lower() for name in (
            "Add Sub Mul Div Neg Abs Exp Log Sqrt Reciprocal Sin Cos Tan Floor Ceil Round Sign Pow Mod Where And Or "
            "Not Xor Clip Atan Asin Acos IsNaN IsInf"
        ).split()},
        "Max": "maximum", "Min": "minimum", "Sum": "add", "QLinearAdd": "add", "QLinearMul": "mul",
        "Clip": "clamp",
    },
    _K.POOL: {
        "MaxPool": "max_pool", "AveragePool": "avg_pool", "GlobalAveragePool": "adaptive_avg_pool",
        "GlobalMaxPool": "adaptive_max_pool", "LpPool": "lp_pool", "RoiAlign": "roi_align",
        "QLinearGlobalAveragePool": "adaptive_avg_pool", "QLinearAveragePool": "avg_pool",
    },
    _K.REDUCE: {
        "ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceMin": "amin", "ReduceProd": "prod",
        "ReduceL1": "norm", "ReduceL2": "norm", "ReduceSumSquare": "norm", "ReduceLogSumExp": "logsumexp",
        "ArgMax": "argmax", "ArgMin": "argmin", "CumSum": "cumsum", "QLinearReduceMean": "mean",
    },
    _K.RESIZE: {"Resize": "nearest", "Upsample": "nearest", "GridSample": "grid_sample"},
    _K.CONCAT: {"Concat": "concat", "QLinearConcat": "concat"},
    _K.MOVE: {
        "Transpose": "permute", "Slice": "slice", "Split": "split", "Gather": "gather", "GatherElements": "gather",
        "GatherND": "gather", "ScatterND": "scatter", "ScatterElements": "scatter", "Pad": "pad", "Expand": "expand",
        "Tile": "repeat", "Cast": "cast", "DepthToSpace": "pixel_shuffle", "SpaceToDepth": "pixel_unshuffle",
        "Trilu": "mask", "TopK": "sort", "Compress": "gather", "Col2Im": "fold", "ReverseSequence": "flip",
    },
    _K.VIEW: {
        "Reshape": "reshape", "Flatten": "reshape", "Squeeze": "squeeze", "Unsqueeze": "unsqueeze",
        "Identity": "identity", "Dropout": "identity", "CastLike": "identity",
    },
    _K.QUANTIZE: {
        "QuantizeLinear": "quantize", "DequantizeLinear": "dequantize", "DynamicQuantizeLinear": "quantize",
    },
    _K.OTHER: {
        **{name: "constant" for name in "Constant ConstantOfShape Range Shape Size EyeLike RandomNormalLike".split()},
        **{name: "compare" for name in "Equal Greater GreaterOrEqual Less LessOrEqual".split()},
        "NonZero": "index", "OneHot": "index", "Unique": "index", "NonMaxSuppression": "nms",
    },
}  # fmt: skip

TABLE: dict[str, tuple[OpKind, str]] = {
    name: (kind, function) for kind, group in _GROUPS.items() for name, function in group.items()
}


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
        "ConvInteger",
        "QLinearConv",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "DynamicQuantizeMatMul",
        "QLinearMatMul",
        "QGemm",
    }
)

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
