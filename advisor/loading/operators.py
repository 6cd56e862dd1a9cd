"""The operators that a file may ask for. What is not listed is refused, whatever else torch has registered.

Listed are those that compute tensors from tensors in the forward pass of a network. Nothing here reads or writes
files, prints, keeps a state, or takes sizes on trust (unchecked views, packed kernels, sparse constructors).
"""

import contextlib
import importlib
from typing import Any

import torch

from advisor.errors import ModelLoadError

from .opened import shown

_ATEN = """
relu relu6 silu gelu hardswish hardsigmoid hardtanh sigmoid leaky_relu elu tanh mish softplus selu celu log_sigmoid
glu prelu _prelu_kernel erf hardshrink softshrink threshold softmax _softmax log_softmax _log_softmax softsign
tanhshrink rrelu logsigmoid
add sub mul div neg abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan atan2
sinh cosh floor ceil round trunc frac sign sgn clamp clamp_min clamp_max maximum minimum lerp addcmul addcdiv where
masked_fill remainder fmod floor_divide true_divide square pow rsub logical_and logical_or logical_not logical_xor
bitwise_and bitwise_or bitwise_not bitwise_xor nan_to_num isnan isinf isfinite erfinv heaviside __and__ __or__
__xor__ positive multiply divide subtract logit
mean sum amax amin max min argmax argmin prod std var var_mean std_mean linalg_vector_norm linalg_norm norm logsumexp
any all cumsum cumprod aminmax count_nonzero median cdist
convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
linear matmul mm addmm bmm baddbmm mv addmv dot einsum outer bilinear tensordot cosine_similarity kron
scaled_dot_product_attention _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_attention_math
batch_norm native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training _batch_norm_no_update
layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm _fused_rms_norm normalize
local_response_norm
max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices max_pool1d_with_indices avg_pool1d
avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
_adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d lp_pool2d max_unpool2d
upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
_upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d _upsample_bilinear2d_aa upsample_bicubic2d
_upsample_bicubic2d_aa upsample_trilinear3d grid_sampler grid_sampler_2d grid_sampler_3d affine_grid_generator
cat concat concatenate hstack vstack dstack stack clone copy contiguous _to_copy to type_as constant_pad_nd
reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d pad
repeat repeat_interleave roll flip rot90 unfold pixel_shuffle pixel_unshuffle channel_shuffle
native_channel_shuffle im2col col2im fold tile index gather index_select embedding take take_along_dim
masked_select index_put index_fill index_add index_copy scatter scatter_add slice_scatter select_scatter
sort topk argsort kthvalue tril triu one_hot fill zero
permute squeeze unsqueeze expand expand_as slice select split split_with_sizes unsafe_split unsafe_chunk unbind
reshape reshape_as view view_as _unsafe_view _reshape_alias flatten unflatten transpose t numpy_T movedim moveaxis
swapaxes swapdims chunk tensor_split narrow diagonal alias detach detach_copy lift lift_fresh lift_fresh_copy real
imag view_as_real view_as_complex broadcast_tensors broadcast_to meshgrid atleast_2d ravel adjoint mT
fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fft fft_ifft fft_rfft fft_irfft fft_fftshift fft_ifftshift
dropout feature_dropout alpha_dropout native_dropout
fake_quantize_per_tensor_affine fake_quantize_per_channel_affine
arange linspace zeros ones full empty empty_like zeros_like ones_like full_like eye new_zeros new_ones new_full
new_empty scalar_tensor eq ne gt ge lt le isclose nonzero searchsorted bucketize
sym_size sym_numel _local_scalar_dense item _assert_tensor_metadata
"""
_OTHERS = {
    "torchvision": "nms roi_align roi_pool ps_roi_align ps_roi_pool deform_conv2d",
    "quantized_decomposed": """
        quantize_per_tensor dequantize_per_tensor quantize_per_channel dequantize_per_channel choose_qparams
        choose_qparams_symmetric quantize_per_token dequantize_per_token quantize_per_channel_group
        dequantize_per_channel_group
    """,
    "torchao": "quantize_affine dequantize_affine choose_qparams_affine",
}
_ALLOWED = {"aten": frozenset(_ATEN.split())} | {space: frozenset(names.split()) for space, names in _OTHERS.items()}
_REGISTERED_BY = {
    "quantized_decomposed": "torch.ao.quantization.fx._decomposed",
    "torchvision": "torchvision",
    "torchao": "torchao",
}


def operator(namespace: str, name: str, overload: str = "") -> Any:
    """Return an operator of torch by its names if files may use it; without `overload`, all its forms."""
    plain = name if name.startswith("__") else name.rstrip("_")
    listed = _ALLOWED.get(namespace, frozenset())
    if (name not in listed and plain not in listed) or overload == "out" or overload.endswith("_out"):
        raise refusal(f"{namespace}::{name}{f'.{overload}' if overload else ''}")
    if namespace in _REGISTERED_BY:
        with contextlib.suppress(ImportError):
            importlib.import_module(_REGISTERED_BY[namespace])
    try:
        packet = getattr(getattr(torch.ops, namespace), name)
    except AttributeError as error:
        raise refusal(f"{namespace}::{name}", known=False) from error
    if not overload:
        return packet
    if overload not in packet.overloads():  # a packet has other attributes, too
        raise refusal(f"{namespace}::{name}.{overload}", known=False)
    return getattr(packet, overload)


def refusal(name: str, *, known: bool = True) -> ModelLoadError:
    """Return the error for an operator that is not on the list, or that this version of torch does not have."""
    if not known:
        return ModelLoadError(
            f"the file uses the operator {shown(name)}, which torch {torch.__version__} does not have here",
            remedy="Save the network again with this version of torch, or give it as ONNX.",
        )
    return ModelLoadError(
        f"the file asks for {shown(name)}, which is not on the list of operators that networks compute with",
        remedy="Do not use this file unless you know its author; give the network as ONNX or as a state dict.",
    )
