"""The family of an architecture, from what it computes and what its modules are classes of. Torch-free.

The name of the model plays no part. Choices that are conventions: ConvNeXt and its kin (layer norm, no attention)
count as residual_cnn although their spatial layers are depthwise, since they behave like wide residual networks and
not like mobile ones; Inception, SqueezeNet and VoVNet (concatenation without growth) as plain_cnn; RepVGG as
residual_cnn while its branches are apart.
"""

from itertools import pairwise

from advisor.schema import CONV_KINDS, Op, OpKind, Workload

# Classes that only detectors have: torchvision, torch hub and ultralytics spellings.
_DETECTOR_CLASSES = frozenset(
    {
        "RegionProposalNetwork", "AnchorGenerator", "DefaultBoxGenerator", "RetinaNetHead", "FCOSHead", "SSDHead",
        "SSDLiteHead", "Detect", "DetectMultiBackend", "GeneralizedRCNN", "RoIHeads",
    }
)  # fmt: skip
# Hybrids whose arithmetic alone looks otherwise: the small ones hold no attention, or next to none of the MACs.
_CLASS_FAMILIES = {"FastVit": "hybrid", "EdgeNeXt": "hybrid"}
_PRODUCTS = frozenset({OpKind.MATMUL, OpKind.ATTENTION})
_SMALL_QUERY = 0.05  # of the largest: class tokens
_SEGMENTER_STRIDE = 8


def family(workload: Workload) -> str:
    """Return a value of the fact model.family."""
    classes = set(workload.modules.values())
    if classes & _DETECTOR_CLASSES or _functions(workload, "nms"):
        return "detector"
    if _dense_output(workload):
        return "segmenter"
    if known := next((f for name, f in _CLASS_FAMILIES.items() if name in classes), None):
        return known
    return _with_attention(workload) if has_attention(workload) else _without_attention(workload)


def has_attention(workload: Workload) -> bool:
    """Tell whether activations are multiplied with activations, or a module says that it attends linearly."""
    if sum(op.kind in _PRODUCTS for op in workload.ops) >= 2:
        return True
    names = workload.modules.values()
    return any(n.endswith("Attention") and not n.startswith(("Channel", "Spatial")) for n in names)


def _with_attention(workload: Workload) -> str:
    convolutions = _body_convolution_share(workload)
    if convolutions >= 0.25 or (convolutions >= 0.12 and _count(workload, OpKind.NORM_BATCH) >= 10):
        return "hybrid"
    return "hierarchical_vit" if _shrinks(_query_sizes(workload)) else "vit"


def _without_attention(workload: Workload) -> str:
    convolutions = [op for op in workload.ops if op.kind in CONV_KINDS]
    depthwise = _count(workload, OpKind.CONV_DEPTHWISE)
    if _body_convolution_share(workload) < 0.1:
        if _count(workload, OpKind.UNKNOWN) or not _count(workload, OpKind.LINEAR):
            return "other"
        return "residual_cnn" if depthwise >= 4 else "mlp"
    if _grows_by_concatenation(workload):
        return "dense_cnn"
    layer_norms, batch_norms = _count(workload, OpKind.NORM_LAYER), _count(workload, OpKind.NORM_BATCH)
    if depthwise >= 0.15 * len(convolutions) and layer_norms <= batch_norms:
        return "depthwise_cnn"
    return "residual_cnn" if _residual_additions(workload) >= 2 else "plain_cnn"


def _dense_output(workload: Workload) -> bool:
    """Tell whether the first output is a map of at least an eighth of the image's resolution."""
    if not workload.outputs or not workload.inputs:
        return False
    image, result = workload.tensor[workload.inputs[0]].shape, workload.tensor[workload.outputs[0]].shape
    return len(image) == len(result) == 4 and min(result[2:]) * _SEGMENTER_STRIDE >= min(image[2:])


def _body_convolution_share(workload: Workload) -> float:
    """Return the share of MACs in convolutions that do more than cut patches (stride equal to kernel)."""
    body = [op for op in workload.ops if op.kind in CONV_KINDS and not _cuts_patches(op)]
    return sum(op.macs for op in body) / max(workload.macs, 1)


def _cuts_patches(op: Op) -> bool:
    kernel = op.attrs.get("kernel")
    return isinstance(kernel, tuple) and max(kernel, default=1) > 1 and op.attrs.get("stride") == kernel


def _query_sizes(workload: Workload) -> list[int]:
    """Return tokens x width of every attention in order, class tokens left out."""
    sizes = []
    for op in workload.ops:
        if op.kind in _PRODUCTS and op.inputs and op.outputs:
            sizes.append(min(workload.tensor[op.inputs[0]].elements, workload.tensor[op.outputs[0]].elements))
    return [s for s in sizes if s >= _SMALL_QUERY * max(sizes)]


def _shrinks(sizes: list[int]) -> bool:
    """Tell whether sizes fall from stage to stage and do not keep coming back."""
    falls = sum(b * 1.2 < a for a, b in pairwise(sizes))
    rises = sum(b > a * 1.2 for a, b in pairwise(sizes))
    return bool(sizes) and falls > rises and sizes[0] >= 1.5 * sizes[-1]


def _grows_by_concatenation(workload: Workload) -> bool:
    """Tell whether concatenations read again what earlier ones read, as dense blocks do."""
    read = [set(op.inputs) for op in workload.ops if op.kind is OpKind.CONCAT]
    again = sum(bool(a & b) for a, b in pairwise(read))
    chained = _chained_concatenations(workload)
    return max(again, chained) >= max(4, len(read) / 2)


def _chained_concatenations(workload: Workload) -> int:
    """Count concatenations that read an earlier one's result directly."""
    made = {t for op in workload.ops if op.kind is OpKind.CONCAT for t in op.outputs}
    return sum(bool(made & set(op.inputs)) for op in workload.ops if op.kind is OpKind.CONCAT)


def _residual_additions(workload: Workload) -> int:
    """Count additions of two feature maps of the same shape."""
    return sum(
        op.attrs.get("function") == "add"
        and len(op.inputs) == 2
        and len({workload.tensor[t].shape for t in op.inputs}) == 1
        for op in workload.ops
    )


def _functions(workload: Workload, name: str) -> int:
    return sum(op.attrs.get("function") == name for op in workload.ops)


def _count(workload: Workload, kind: OpKind) -> int:
    return sum(op.kind is kind for op in workload.ops)
