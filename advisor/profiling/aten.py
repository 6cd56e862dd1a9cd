"""Which kind of operation each aten operator is, and the name of its function. One table, nothing else.

A trailing underscore (in-place) and the overload are cut off before looking up. What is missing here becomes
OpKind.UNKNOWN and is reported. Operators in COMPUTED get their kind from their operands.
"""

from advisor.schema import OpKind

COMPUTED = frozenset(
    {"convolution", "_convolution", "mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "linear", "matmul"}
)

_K = OpKind
_GROUPS: dict[OpKind, str | dict[str, str]] = {
    _K.ACTIVATION: {
        **{name: name for name in (
            "relu relu6 silu gelu hardswish hardsigmoid sigmoid leaky_relu elu tanh mish softplus selu celu "
            "log_sigmoid glu prelu erf hardshrink softshrink threshold rrelu"
        ).split()},
        "_prelu_kernel": "prelu", "log_sigmoid_forward": "log_sigmoid", "rrelu_with_noise": "leaky_relu",
    },
    _K.NORM_BATCH: {name: "batch_norm" for name in (
        "native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
        "batch_norm", "_batch_norm_no_update", "_batch_norm_with_update",
    )},
    _K.NORM_LAYER: {
        "native_layer_norm": "layer_norm", "native_group_norm": "group_norm", "group_norm": "group_norm",
        "instance_norm": "instance_norm", "rms_norm": "rms_norm", "_fused_rms_norm": "rms_norm",
    },
    _K.SOFTMAX: {"_softmax": "softmax", "_safe_softmax": "softmax", "_log_softmax": "log_softmax"},
    _K.ELEMENTWISE: {
        **{name: name for name in (
            "add sub mul div neg abs exp exp2 expm1 log log2 log1p sqrt rsqrt reciprocal sin cos tan atan2 floor ceil "
            "round trunc sign clamp clamp_min clamp_max maximum minimum lerp addcmul addcdiv where masked_fill "
            "remainder fmod floor_divide square logical_and logical_or logical_not logical_xor "
            "bitwise_and bitwise_or bitwise_not bitwise_xor nan_to_num add_relu isnan isinf isfinite"
        ).split()},
        "rsub": "sub", "pow": "pow", "_foreach_add": "add", "erfinv": "erfinv", "heaviside": "heaviside",
    },
    _K.POOL: {
        "max_pool2d_with_indices": "max_pool", "max_pool2d": "max_pool", "max_pool3d_with_indices": "max_pool",
        "max_pool1d": "max_pool", "avg_pool1d": "avg_pool", "avg_pool2d": "avg_pool", "avg_pool3d": "avg_pool",
        "_adaptive_avg_pool2d": "adaptive_avg_pool", "_adaptive_avg_pool3d": "adaptive_avg_pool",
        "adaptive_max_pool2d": "adaptive_max_pool", "adaptive_avg_pool1d": "adaptive_avg_pool",
        "roi_align": "roi_align", "roi_pool": "roi_pool", "mkldnn_max_pool2d": "max_pool",
    },
    _K.REDUCE: "mean sum amax amin max min argmax argmin prod std var var_mean std_mean linalg_vector_norm norm "
               "logsumexp any all cumsum cumprod aminmax count_nonzero",
    _K.RESIZE: {
        "upsample_nearest1d": "nearest", "upsample_nearest2d": "nearest", "upsample_nearest3d": "nearest",
        "_upsample_nearest_exact2d": "nearest", "upsample_linear1d": "linear", "upsample_bilinear2d": "bilinear",
        "_upsample_bilinear2d_aa": "bilinear", "upsample_bicubic2d": "bicubic", "_upsample_bicubic2d_aa": "bicubic",
        "upsample_trilinear3d": "trilinear", "grid_sampler_2d": "grid_sample", "grid_sampler_3d": "grid_sample",
    },
    _K.CONCAT: {"cat": "concat", "stack": "stack", "hstack": "concat", "vstack": "concat"},
    _K.MOVE: {
        "clone": "copy", "_to_copy": "cast", "copy": "copy", "contiguous": "copy", "constant_pad_nd": "pad",
        "reflection_pad2d": "pad", "replication_pad2d": "pad", "reflection_pad1d": "pad", "roll": "roll",
        "flip": "flip", "repeat": "repeat", "repeat_interleave": "repeat", "index": "gather", "gather": "gather",
        "index_select": "gather", "embedding": "gather", "take": "gather", "index_put": "scatter", "index_fill": "scatter", "index_add": "scatter", "index_copy": "scatter",
        "scatter": "scatter", "scatter_add": "scatter", "slice_scatter": "scatter", "select_scatter": "scatter",
        "masked_select": "gather", "im2col": "unfold", "col2im": "fold", "sort": "sort", "topk": "sort",
        "argsort": "sort", "tril": "mask", "triu": "mask", "rot90": "flip", "native_channel_shuffle": "shuffle",
        "channel_shuffle": "shuffle", "pixel_shuffle": "pixel_shuffle", "pixel_unshuffle": "pixel_unshuffle",
    },
    _K.VIEW: {
        "view": "reshape", "_unsafe_view": "reshape", "reshape": "reshape", "_reshape_alias": "reshape",
        "flatten": "reshape", "unflatten": "reshape", "permute": "permute", "transpose": "permute", "t": "permute",
        "numpy_T": "permute", "squeeze": "squeeze", "unsqueeze": "unsqueeze", "expand": "expand", "slice": "slice",
        "select": "select", "split": "split", "split_with_sizes": "split", "chunk": "split", "unbind": "unbind",
        "narrow": "slice", "alias": "identity", "detach": "identity", "lift_fresh": "identity", "lift": "identity",
        "as_strided": "as_strided", "unfold": "unfold", "view_as_real": "reshape", "view_as_complex": "reshape",
        "real": "identity", "diagonal": "select", "dropout": "identity", "native_dropout": "identity",
        "_conj": "identity", "_neg_view": "identity", "movedim": "permute",
    },
    _K.QUANTIZE: {
        "quantize_per_tensor": "quantize", "quantize_per_channel": "quantize", "dequantize": "dequantize",
        "fake_quantize_per_tensor_affine": "fake_quantize", "fake_quantize_per_channel_affine": "fake_quantize",
        "fake_quantize_per_tensor_affine_cachemask": "fake_quantize",
        "fake_quantize_per_channel_affine_cachemask": "fake_quantize",
    },
    _K.OTHER: {
        **{name: "constant" for name in (
            "arange linspace zeros ones full empty empty_like zeros_like ones_like full_like empty_strided eye "
            "new_zeros new_ones new_full new_empty new_empty_strided scalar_tensor fill zero rand randn rand_like "
            "randn_like normal uniform bernoulli"
        ).split()},
        **{name: "compare" for name in "eq ne gt ge lt le isclose equal".split()},
        "nonzero": "index", "_local_scalar_dense": "read", "item": "read", "nms": "nms", "searchsorted": "index",
        "bucketize": "index", "unique_dim": "index", "_unique2": "index", "meshgrid": "index",
    },
}  # fmt: skip

TABLE: dict[str, tuple[OpKind, str]] = {
    name: (kind, function)
    for kind, group in _GROUPS.items()
    for name, function in (group.items() if isinstance(group, dict) else ((n, n) for n in group.split()))
}


def base_name(operator: str) -> str:
    """Return 'relu' for 'aten::relu_', keeping leading underscores."""
    name = operator.split("::", 1)[-1]
    return name if name.startswith("__") else name.rstrip("_")


def look_up(name: str) -> tuple[OpKind, str]:
    """Return kind and function of a base name; unknown ones keep their name as function."""
    return TABLE.get(name, (OpKind.UNKNOWN, name))
