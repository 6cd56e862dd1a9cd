"""The networks of the sweep: the smallest of each timm family, with random weights that make every layer matter.

Used by benchmarks/sweep.py. As timm builds them, many networks are degenerate: last norms of residual branches and
layer scales are near zero, so that whole branches say nothing, and wrong arithmetic in them would not be seen.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import timm
import torch
from numpy.typing import NDArray
from torch import nn

CLASSES = 32  # fewer than ImageNet's: the head of a small network would outweigh the rest
# Network -> family and pixels of its side; 0 stands for the size that its weights were made for.
MODELS: dict[str, tuple[str, int]] = {
    "resnet18": ("ResNet", 96), "resnext50_32x4d": ("ResNeXt", 96), "wide_resnet50_2": ("Wide ResNet", 64),
    "resnetv2_50": ("ResNet v2", 96), "legacy_seresnet18": ("SE-ResNet", 96), "skresnet18": ("SK-ResNet", 96),
    "eca_resnet33ts": ("ECA-ResNet", 96), "gcresnext26ts": ("GC-ResNeXt", 96), "resnest14d": ("ResNeSt", 96),
    "res2net50_26w_4s": ("Res2Net", 96), "regnetx_002": ("RegNetX", 96), "regnety_002": ("RegNetY", 96),
    "densenet121": ("DenseNet", 96), "dpn48b": ("DPN", 96), "vgg11_bn": ("VGG", 64), "inception_v3": ("Inception", 128),
    "xception41": ("Xception", 96), "dla46_c": ("DLA", 96), "hrnet_w18_small": ("HRNet", 96),
    "cspresnet50": ("CSPNet", 96), "cs3darknet_s": ("CS3Darknet", 96), "darknet17": ("Darknet", 96),
    "ese_vovnet19b_dw": ("VoVNet", 96), "selecsls42b": ("SelecSLS", 96), "gernet_s": ("GENet", 96),
    "hgnetv2_b0": ("HGNet", 96), "nf_regnet_b0": ("NF-RegNet", 96), "eca_nfnet_l0": ("NFNet", 64),
    "mobilenetv1_100": ("MobileNet v1", 96), "mobilenetv2_050": ("MobileNet v2", 96),
    "mobilenetv3_small_075": ("MobileNet v3", 96), "mobilenetv4_conv_small": ("MobileNet v4", 96),
    "mobilenet_edgetpu_v2_xs": ("MobileNet EdgeTPU", 96), "efficientnet_b0": ("EfficientNet", 96),
    "efficientnet_lite0": ("EfficientNet-Lite", 96), "tf_efficientnetv2_b0": ("EfficientNet v2", 96),
    "mnasnet_small": ("MnasNet", 96), "semnasnet_075": ("SE-MnasNet", 96), "fbnetc_100": ("FBNet", 96),
    "fbnetv3_b": ("FBNet v3", 96), "mixnet_s": ("MixNet", 96), "hardcorenas_a": ("HardCoRe-NAS", 96),
    "lcnet_050": ("LCNet", 96), "tinynet_e": ("TinyNet", 106), "rexnet_100": ("ReXNet", 96),
    "ghostnet_050": ("GhostNet", 96), "ghostnetv2_100": ("GhostNet v2", 96), "repghostnet_050": ("RepGhost", 96),
    "repvgg_a0": ("RepVGG", 96), "mobileone_s0": ("MobileOne", 96), "repvit_m0_9": ("RepViT", 96),
    "starnet_s1": ("StarNet", 96), "convnext_atto": ("ConvNeXt", 96), "convnextv2_atto": ("ConvNeXt v2", 96),
    "inception_next_atto": ("InceptionNeXt", 96), "convmixer_768_32": ("ConvMixer", 64),
    "mambaout_femto": ("MambaOut", 96), "vit_tiny_patch16_224": ("ViT", 96), "deit_tiny_patch16_224": ("DeiT", 96),
    "swin_tiny_patch4_window7_224": ("Swin", 0), "cait_xxs24_224": ("CaiT", 96), "pit_ti_224": ("PiT", 0),
    "xcit_nano_12_p16_224": ("XCiT", 96), "pvt_v2_b0": ("PVT v2", 96), "coat_lite_tiny": ("CoaT", 0),
    "levit_128s": ("LeViT", 0), "tiny_vit_5m_224": ("TinyViT", 0), "mobilevit_xxs": ("MobileViT", 128),
    "mobilevitv2_050": ("MobileViT v2", 128), "edgenext_xx_small": ("EdgeNeXt", 96),
    "efficientformer_l1": ("EfficientFormer", 0), "efficientformerv2_s0": ("EfficientFormer v2", 0),
    "efficientvit_b0": ("EfficientViT (MIT)", 96), "efficientvit_m0": ("EfficientViT (MSRA)", 0),
    "fastvit_t8": ("FastViT", 96), "poolformer_s12": ("PoolFormer", 96), "caformer_s18": ("CAFormer", 96),
    "mixer_s32_224": ("MLP-Mixer", 0), "resmlp_12_224": ("ResMLP", 0), "gmlp_s16_224": ("gMLP", 0),
    "visformer_tiny": ("Visformer", 0), "mvitv2_tiny": ("MViT v2", 0), "sebotnet33ts_256": ("BoTNet", 0),
    "coatnet_nano_rw_224": ("CoAtNet", 0), "crossvit_tiny_240": ("CrossViT", 0),
}  # fmt: skip
_RESIZED = ("vit_tiny", "deit_", "cait_", "xcit_")  # their constructors take the size of the image


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network in evaluation mode with norms that fit its random weights, and the shape of its input."""
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    side = MODELS[name][1]
    settings: dict[str, Any] = {"img_size": side} if side and name.startswith(_RESIZED) else {}
    module = timm.create_model(name, num_classes=CLASSES, **settings).eval()
    side = side or int(timm.data.resolve_model_data_config(module)["input_size"][-1])
    _spread(module, torch.Generator().manual_seed(seed))
    _fit_norms(module, side)
    _tell_apart(module, torch.Generator().manual_seed(seed))
    return module, (1, 3, side, side)


def _fit_norms(module: nn.Module, side: int) -> None:
    """Let batch norms see what comes to them: as built they take it for centred and of unit variance."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # a plain average over the batches
        norm.reset_running_stats()
        norm.train()
    with torch.no_grad():
        for batch in range(4 if norms else 0):
            module(torch.from_numpy(images(batch, side, 8)))
    module.eval()


def _tell_apart(module: nn.Module, generator: torch.Generator) -> None:
    """Change equal values of one vector a little: which channels were kept is found by value."""
    with torch.no_grad():
        for vector in (*module.parameters(), *module.buffers()):
            while vector.ndim == 1 and vector.is_floating_point() and len(vector.unique()) < len(vector):
                vector.mul_(1 + 1e-3 * torch.rand(vector.shape, generator=generator))
                vector.add_(1e-6 * torch.rand(vector.shape, generator=generator))


def images(seed: int, side: int, count: int = 1) -> NDArray[Any]:
    """Return (count, 3, side, side) float32 images: random blobs of several sizes, contrasts and colours."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(count, 3, side, side)
    for cells in (3, 9, 27, side):
        noise = torch.randn(count, 3, cells, cells, generator=generator)
        total += torch.nn.functional.interpolate(noise, (side, side), mode="bilinear")
    contrast = 0.3 + torch.rand(count, 1, 1, 1, generator=generator)
    shade = 0.5 * torch.randn(count, 3, 1, 1, generator=generator)
    found: NDArray[Any] = (total * contrast + shade).numpy()
    return found


def calibration(side: int, seed: int) -> Any:
    """Return the reader of calibration images that techniques expect: batches of one image."""

    def batches(count: int) -> Iterator[NDArray[Any]]:
        return (images(seed + i, side) for i in range(count))

    return batches


def _spread(module: nn.Module, generator: torch.Generator) -> None:
    """Give norms, scales and biases values of their own, and thin initial weights the usual strength."""
    norms = {id(p) for m in module.modules() if "norm" in type(m).__name__.lower() for p in m.parameters(recurse=False)}
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        for layer in layers:
            fan_in = layer.weight[0].numel()
            strength = float(layer.weight.std()) * fan_in**0.5
            if strength < 0.5:  # transformers start at 0.02 whatever the width
                layer.weight.normal_(std=fan_in**-0.5, generator=generator)
        for name, parameter in module.named_parameters():
            if max(parameter.shape, default=1) != parameter.numel():
                continue
            if name.endswith("bias") or name.endswith("beta"):
                parameter.normal_(std=0.1, generator=generator)
            elif id(parameter) in norms:
                parameter.uniform_(0.5, 1.5, generator=generator)
            else:  # layer scales and the like: large ones would let deep networks without norms overflow
                parameter.uniform_(0.1, 0.3, generator=generator)
