"""Which kind of operation each aten operator is, and the name of its function. One table, nothing else.

A trailing underscore (in-place) and the overload are cut off before looking up. What is missing here becomes
OpKind.UNKNOWN and is reported. Operators in COMPUTED get their kind from their operands.
"""

from advisor.schema import OpKind

from .tables import Group, flatten

COMPUTED = frozenset(
    {"convolution", "_convolution", "mm", "_int_mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "linear"}
    | {"matmul"}
)

_K = OpKind
TABLE: dict[str, tuple[OpKind, str]] = flatten(
    # Operators that are called like their function.
    Group(_K.ACTIVATION, """relu relu6 silu gelu hardswish hardsigmoid sigmoid leaky_relu elu tanh mish softplus selu
        celu log_sigmoid glu prelu erf hardshrink softshrink threshold"""),
    Group(_K.ELEMENTWISE, """add sub mul div neg abs exp exp2 expm1 log log2 log1p sqrt rsqrt reciprocal sin cos tan
        atan2 floor ceil round trunc sign clamp clamp_min clamp_max maximum minimum lerp addcmul addcdiv where
        masked_fill remainder fmod floor_divide square pow logical_and logical_or logical_not logical_xor bitwise_and
        bitwise_or bitwise_not bitwise_xor nan_to_num isnan isinf isfinite erfinv heaviside"""),
    Group(_K.REDUCE, """mean sum amax amin max min argmax argmin prod std var var_mean std_mean linalg_vector_norm norm
        logsumexp any all cumsum cumprod aminmax count_nonzero"""),
    Group(_K.MOVE, "roll flip repeat unfold pixel_shuffle pixel_unshuffle"),
    Group(_K.VIEW, "permute squeeze unsqueeze expand slice select split unbind as_strided reshape"),
    Group(_K.OTHER, "nms"),
    # Several operators with one function.
    Group(_K.ACTIVATION, "_prelu_kernel", "prelu"),
    Group(_K.ACTIVATION, "log_sigmoid_forward", "log_sigmoid"),
    Group(_K.ACTIVATION, "rrelu rrelu_with_noise", "leaky_relu"),
    Group(_K.NORM_BATCH, """native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training batch_norm
        cudnn_batch_norm _batch_norm_no_update _batch_norm_with_update""", "batch_norm"),
    Group(_K.NORM_LAYER, "native_layer_norm layer_norm", "layer_norm"),
    Group(_K.NORM_LAYER, "native_group_norm group_norm", "group_norm"),
    Group(_K.NORM_LAYER, "instance_norm", "instance_norm"),
    Group(_K.NORM_LAYER, "rms_norm _fused_rms_norm", "rms_norm"),
    Group(_K.SOFTMAX, "_softmax _safe_softmax softmax", "softmax"),
    Group(_K.SOFTMAX, "_log_softmax log_softmax", "log_softmax"),
    Group(_K.ELEMENTWISE, "rsub", "sub"),
    Group(_K.POOL, """max_pool1d max_pool2d max_pool2d_with_indices max_pool3d_with_indices mkldnn_max_pool2d
        quantized_max_pool1d quantized_max_pool2d""",
          "max_pool"),
    Group(_K.POOL, "avg_pool1d avg_pool2d avg_pool3d", "avg_pool"),
    Group(_K.POOL, "adaptive_avg_pool1d _adaptive_avg_pool2d _adaptive_avg_pool3d", "adaptive_avg_pool"),
    Group(_K.POOL, "adaptive_max_pool2d", "adaptive_max_pool"),
    Group(_K.POOL, "roi_align roi_pool", "roi_align"),
    Group(_K.RESIZE, "upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact2d", "nearest"),
    Group(_K.RESIZE, "upsample_linear1d upsample_bilinear2d _upsample_bilinear2d_aa", "bilinear"),
    Group(_K.RESIZE, "upsample_bicubic2d _upsample_bicubic2d_aa", "bicubic"),
    Group(_K.RESIZE, "upsample_trilinear3d", "trilinear"),
    Group(_K.RESIZE, "grid_sampler_2d grid_sampler_3d", "grid_sample"),
    Group(_K.CONCAT, "cat hstack vstack", "concat"),
    Group(_K.CONCAT, "stack", "stack"),
    Group(_K.MOVE, "clone copy contiguous", "copy"),
    Group(_K.MOVE, "_to_copy", "cast"),
    Group(_K.MOVE, "constant_pad_nd reflection_pad1d reflection_pad2d replication_pad2d", "pad"),
    Group(_K.MOVE, "repeat_interleave", "repeat"),
    Group(_K.MOVE, "index gather index_select embedding take masked_select", "gather"),
    Group(_K.MOVE, """index_put index_fill index_add index_copy scatter scatter_add slice_scatter select_scatter""",
          "scatter"),
    Group(_K.MOVE, "im2col", "unfold"),
    Group(_K.MOVE, "col2im", "fold"),
    Group(_K.MOVE, "sort topk argsort", "sort"),
    Group(_K.MOVE, "tril triu", "mask"),
    Group(_K.MOVE, "rot90", "flip"),
    Group(_K.MOVE, "channel_shuffle native_channel_shuffle", "shuffle"),
    Group(_K.VIEW, "view _unsafe_view _reshape_alias flatten unflatten view_as_real view_as_complex", "reshape"),
    Group(_K.VIEW, "transpose t numpy_T movedim", "permute"),
    Group(_K.VIEW, "split_with_sizes chunk", "split"),
    Group(_K.VIEW, "narrow", "slice"),
    Group(_K.VIEW, "diagonal", "select"),
    Group(_K.VIEW, "alias detach lift lift_fresh real dropout native_dropout _conj _neg_view", "identity"),
    Group(_K.QUANTIZE, """quantize_per_tensor quantize_per_channel quantize_per_token quantize_per_channel_group
        quantize_per_tensor_dynamic quantize_affine""", "quantize"),
    Group(_K.QUANTIZE, """dequantize dequantize_per_tensor dequantize_per_channel dequantize_per_token
        dequantize_per_channel_group dequantize_affine""", "dequantize"),
    Group(_K.REDUCE, "choose_qparams choose_qparams_symmetric choose_qparams_affine", "aminmax"),
    Group(_K.QUANTIZE, """fake_quantize_per_tensor_affine fake_quantize_per_channel_affine
        fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask""", "fake_quantize"),
    Group(_K.OTHER, """arange linspace zeros ones full empty empty_like zeros_like ones_like full_like empty_strided
        eye new_zeros new_ones new_full new_empty new_empty_strided scalar_tensor fill zero rand randn rand_like
        randn_like normal uniform bernoulli""", "constant"),
    Group(_K.OTHER, "eq ne gt ge lt le isclose equal", "compare"),
    Group(_K.OTHER, "nonzero searchsorted bucketize unique_dim _unique2 meshgrid", "index"),
    Group(_K.OTHER, "_local_scalar_dense item", "read"),
)  # fmt: skip


def base_name(operator: str) -> str:
    """Return 'relu' for 'aten::relu_', keeping leading underscores."""
    name = operator.split("::", 1)[-1]
    return name if name.startswith("__") else name.rstrip("_")


def look_up(name: str) -> tuple[OpKind, str]:
    """Return kind and function of a base name; unknown ones keep their name as function."""
    return TABLE.get(name, (OpKind.UNKNOWN, name))
