"""What a network's name tells: its body under one spelling, family, kind, head, and width.

Sources spell one network in many ways ("resnet_v1_50", "ResNet-50 (v1)", "timm:resnet50"); results can only be pooled
where they meet under one name. Nothing here is needed to be complete: an unknown name has no family, and the model
falls back to the kind and the task.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

PLAIN, RESIDUAL, DENSE, DEPTHWISE, VIT, SWIN, HYBRID, UNKNOWN = (
    "plain", "residual", "dense", "depthwise", "transformer", "hierarchical transformer", "hybrid", "",
)  # fmt: skip

# First match wins: (pattern, family, kind).
_FAMILIES = tuple((re.compile(pattern), family, kind) for pattern, family, kind in (
    (r"repvgg|mobileone", "RepVGG", "reparameterised"),
    (r"mobilenet_?v?4|mobilenetv4", "MobileNet v4", DEPTHWISE),
    (r"mobilenet_?v?3|mobilenetv3", "MobileNet v3", DEPTHWISE),
    (r"mobilenet_?(v2|_?2)|mn_?v2|mbv2|mnv2|mbnv2|mobilenet_edgetpu|mobilenetedge|mobiledet", "MobileNet v2",
     DEPTHWISE),
    (r"mobilenet|mbv1|mobilefacenet|mb0\.25", "MobileNet v1", DEPTHWISE),
    (r"mobilevit|efficientformer|efficientvit|fastvit|levit|nextvit|cas_vit|tiny_?vit|pit_|uniformer|poolformer"
     r"|sequencer|t2t", "hybrid", HYBRID),
    (r"mnasnet|semnasnet|proxyless|fbnet|spnasnet|nasnet", "searched mobile", DEPTHWISE),
    (r"efficientdet|effb0|efficientnet_?lite|efficientnet_lite", "EfficientNet-Lite", DEPTHWISE),
    (r"efficientnet_?v2|efficientnetv2", "EfficientNetV2", DEPTHWISE),
    (r"efficientnet_edgetpu", "EfficientNet-EdgeTPU", RESIDUAL),
    (r"efficientnet", "EfficientNet", DEPTHWISE),
    (r"shuffle", "ShuffleNet", DEPTHWISE),
    (r"ghostnet|repghost|pplcnet|lcnet|peleenet|hardnet|osnet", "small CNN", DENSE),
    (r"squeezenet", "SqueezeNet", DENSE),
    (r"densenet", "DenseNet", DENSE),
    (r"swin|davit", "Swin", SWIN),
    (r"convnext", "ConvNeXt", "convnext"),
    (r"clip|siglip", "CLIP", VIT),
    (r"deit|vit|beit|video_mae|depth_anything", "ViT", VIT),
    (r"detr", "DETR", HYBRID),
    (r"segformer", "SegFormer", VIT),
    (r"mlp|mixer", "MLP", VIT),
    (r"regnet", "RegNet", RESIDUAL),
    (r"resnext|res2net", "ResNeXt", RESIDUAL),
    (r"wrn|wide_?res", "Wide ResNet", RESIDUAL),
    (r"preact|resnet|_res\d|^res\d|_r\d\d|r34_|r50_|hgnet|dla|hrnet|retinaface|arcface", "ResNet", RESIDUAL),
    (r"inception|googlenet|xception", "Inception", PLAIN),
    (r"vgg", "VGG", PLAIN),
    (r"alexnet|caffenet|zfnet|lenet", "AlexNet", PLAIN),
    (r"unet|u_net|srnet|espcn|esrgan|sesr|xlsr|dncnn|zero_dce|aotgan", "encoder-decoder", PLAIN),
))  # fmt: skip

_HEADS = tuple((re.compile(pattern), head) for pattern, head in (
    (r"rt_?detr|detr", "DETR"),
    (r"yolo_?v?(6|8|9|1[0-9])|damoyolo|pp_yoloe|yolo_nas|nanodet", "YOLO with distributions"),
    (r"yolo_?x", "YOLOX"),
    (r"yolo_?v?(5|7)", "YOLOv5/7"),
    (r"yolo", "YOLOv2-4"),
    (r"efficientdet", "EfficientDet"),
    (r"ssd|mobiledet|blazeface|ultraface|lightface", "SSD"),
    (r"r_?cnn", "R-CNN"),
    (r"retina|fcos|atss|gfl|fsaf|paa|reppoints|refinedet|scrfd|centernet|solo|foveabox|tood", "RetinaNet-like"),
    (r"deeplab", "DeepLab"),
    (r"fcn|pspnet|segnet|^enet|bisenet|stdc|ddrnet|fast_scnn|pidnet|ffnet|fpn|liteseg|unet|u_net|lraspp|hrnet",
     "segmenter"),
))  # fmt: skip

_NOISE = re.compile(
    r"\.onnx$|\.tflite$|_model$|_float$|_\d{8}|_wt_v\d|_qat_v\d|_qat_p2|_qat|_fx$|_ckpt$|_saved$|_slim$|_simp$|_pt_224$|_infer$"
    r"|_tfs$|_fft$|_tl$|_mlperf|_tf2?$|_12$|_outby\d|_ssld$|_lite_wt.*$|_\(?(onnx_model_zoo|caffe|tensorflow|pytorch)\)?$"
    r"|\(pytorch\)|_model_zoo$|_shape$|_edgeailite|_patch\d+_window\d+|_224$"
)
_PRUNED = re.compile(r"_pruned_(0?\.\d+)$")
_RESNET = re.compile(
    r"^resnet(?:_?v(?P<v>[12])(?:[._]5(?!\d))?|_v?1\.0)?_?\(?(?P<n>\d{1,3})\)?(?:_\(?v(?P<w>[12])(?:[._][05])?\)?)?$"
)
_MOBILE = re.compile(r"^(?:s_)?(?P<kind>mobilenet)_?v?(?P<v>[12])?_?b?_?a?(?P<w>\d\.?\d{1,2})?$")
_WIDTH = re.compile(r"(?:^|[_a-z])(0[._]?\d{1,2}|1[._]\d{1,2}|1[234]0)(?:$|_)")


_SPELLINGS = {
    "inception_v1": "googlenet", "inceptionv1": "googlenet", "inceptionv2": "inception_v2", "resnet5": "resnet50",
    "inceptionv3": "inception_v3", "resnet_v1.5": "resnet50", "squeezenet": "squeezenet1_0", "vgg_16": "vgg16",
    "squeezenet_1.0": "squeezenet1_0", "squeezenet1.0": "squeezenet1_0", "vgg_19": "vgg19", "caffenet": "alexnet",
    "shufflenetv2": "shufflenet_v2", "densenet": "densenet121", "efficientnet": "efficientnet_b0",
    "deit_tiny": "deit_tiny_patch16",
}  # fmt: skip


@dataclass(frozen=True)
class Lineage:
    """A network's body under one spelling ('resnet50'), and what its name tells; empty where it tells nothing."""

    body: str
    family: str = ""
    kind: str = UNKNOWN
    head: str = ""
    width: float = 1.0  # of the channels, against the usual network
    pruned: float = 0.0  # share of MACs removed before, where the name says so


@lru_cache(maxsize=8192)
def lineage(network: str) -> Lineage:
    """Read a network's name, a library's id or a source's own spelling."""
    name = re.sub(r"[\s-]+", "_", network.strip().lower())
    name = re.sub(r"^(timm|torchvision|ultralytics):", "", name).split("@")[0]
    pruned = _PRUNED.search(name)
    if pruned:
        name = name[: pruned.start()]
    before = ""
    while before != name:
        before, name = name, _NOISE.sub("", name)
    name = re.sub(r"\.(a|in|tv|ra|fb|bt|gluon|timm|augreg|sam|dino|mae|tf|ssl)\w*$", "", name).strip("_")
    body, width = _body(name)
    family, kind = next(((f, k) for pattern, f, k in _FAMILIES if pattern.search(name)), ("", UNKNOWN))
    head = next((h for pattern, h in _HEADS if pattern.search(name)), "")
    if head.startswith("YOLO") and kind == UNKNOWN:
        kind = "yolo"
    return Lineage(body, family, kind, head, width, float(pruned[1]) if pruned else 0.0)


def _body(name: str) -> tuple[str, float]:
    """Return one spelling for the networks that are published most, and the width multiplier."""
    resnet = _RESNET.match(name)
    if resnet:
        version = resnet["v"] or resnet["w"] or "1"
        return f"resnet{'v2_' if version.startswith('2') else ''}{resnet['n']}", 1.0
    mobile = _MOBILE.match(name)
    if mobile:
        width = _number(mobile["w"])
        return f"mobilenetv{mobile['v'] or '1'}_{round(100 * width):03d}", width
    body = re.sub(r"^tf_", "", name)
    body = _SPELLINGS.get(body, body)
    found = _WIDTH.search(body) if re.search(r"mobilenet|mnasnet|shufflenet|lcnet|ghost", body) else None
    return body, _number(found[1]) if found else 1.0


def _number(text: str | None) -> float:
    """Read '0.25', '025', '0_5', '140' as a width multiplier."""
    if not text:
        return 1.0
    text = text.replace("_", ".")
    value = float(text)
    return value if "." in text else value / 100
