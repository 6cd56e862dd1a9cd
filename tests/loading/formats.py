"""Model files of every supported format, made on the spot from small networks of many architectures."""

import gzip
import shutil
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

SIDE = 64

# Small members of sixteen families; what they are called is what --arch takes.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "timm:resnet10t": lambda: timm.create_model("resnet10t", num_classes=7),
    "timm:mobilenetv2_050": lambda: timm.create_model("mobilenetv2_050", num_classes=7),
    "timm:mobilenetv3_small_050": lambda: timm.create_model("mobilenetv3_small_050", num_classes=7),
    "timm:efficientnet_lite0": lambda: timm.create_model("efficientnet_lite0", num_classes=7),
    "timm:vit_tiny_patch16_224": lambda: timm.create_model("vit_tiny_patch16_224", num_classes=7, img_size=SIDE),
    "timm:deit_tiny_distilled_patch16_224": lambda: timm.create_model(
        "deit_tiny_distilled_patch16_224", num_classes=7, img_size=SIDE
    ),
    "timm:convnext_atto": lambda: timm.create_model("convnext_atto", num_classes=7),
    "timm:ghostnet_050": lambda: timm.create_model("ghostnet_050", num_classes=7),
    "timm:regnetx_002": lambda: timm.create_model("regnetx_002", num_classes=7),
    "timm:repvgg_a0": lambda: timm.create_model("repvgg_a0", num_classes=7),
    "timm:mobilevit_xxs": lambda: timm.create_model("mobilevit_xxs", num_classes=7),
    "timm:mobileone_s0": lambda: timm.create_model("mobileone_s0", num_classes=7),
    "timm:edgenext_xx_small": lambda: timm.create_model("edgenext_xx_small", num_classes=7),
    "torchvision:squeezenet1_1": lambda: torchvision.models.squeezenet1_1(num_classes=7),
    "torchvision:shufflenet_v2_x0_5": lambda: torchvision.models.shufflenet_v2_x0_5(num_classes=7),
    "torchvision:densenet121": lambda: torchvision.models.densenet121(num_classes=7),
}


@cache
def network(name: str) -> nn.Module:
    """Return the network with weights that are the same each time."""
    torch.manual_seed(0)
    net = NETWORKS[name]().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() == 1:  # initial scales are all 1 or 0: exporters would store equal ones once
                parameter.add_(0.1 * torch.rand_like(parameter))
    return net


def example() -> torch.Tensor:
    """Return an image batch of one."""
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def _weights(net: nn.Module, path: Path) -> None:
    torch.save(net.state_dict(), path)


def _checkpoint(net: nn.Module, path: Path) -> None:
    state = {f"module.{name}": value for name, value in net.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}}, path)


def _ema(net: nn.Module, path: Path) -> None:
    state = {f"_orig_mod.{name}": value for name, value in net.state_dict().items()}
    torch.save({"ema": state, "args": {"lr": 0.1}}, path)


def _legacy(net: nn.Module, path: Path) -> None:
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=False)


def _module(net: nn.Module, path: Path) -> None:
    torch.save(net, path)


def _legacy_module(net: nn.Module, path: Path) -> None:
    torch.save(net, path, _use_new_zipfile_serialization=False)


def _safetensors(net: nn.Module, path: Path) -> None:
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)


def _script(net: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(net, example(), check_trace=False), path)


def _exported(net: nn.Module, path: Path) -> None:
    torch.export.save(torch.export.export(net, (example(),)), path)


def _onnx(opset: int, *, dynamic: bool = False) -> Callable[[nn.Module, Path], None]:
    def write(net: nn.Module, path: Path) -> None:
        names = {"input_names": ["input"], "output_names": ["output"], "opset_version": opset}
        axes = {"dynamic_axes": {"input": {0: "n", 2: "h", 3: "w"}}} if dynamic else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(net, (example(),), path, dynamo=False, **names, **axes)

    return write


def _onnx_outside(net: nn.Module, path: Path) -> None:
    import onnx

    _onnx(17)(net, path)
    model = onnx.load(path)
    path.unlink()
    onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=0)


def _onnx_int8(form: str) -> Callable[[nn.Module, Path], None]:
    def write(net: nn.Module, path: Path) -> None:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        class Images(CalibrationDataReader):
            def __init__(self) -> None:
                self._left = [{"input": example().numpy()}] * 2

            def get_next(self) -> dict | None:
                return self._left.pop() if self._left else None

        plain = path.with_name(f"{path.name}.float")
        _onnx(17)(net, plain)
        quant_pre_process(plain, plain, skip_symbolic_shape=True)
        quantize_static(plain, path, Images(), quant_format=QuantFormat[form])
        plain.unlink()

    return write


# Format -> (suffix, writer, networks, what `identify` calls it).
FORMATS: dict[str, tuple[str, Callable[[nn.Module, Path], None], tuple[str, ...], str]] = {}


def _add(name: str, suffix: str, write: Callable[[nn.Module, Path], None], networks: str, form: str = "torch") -> None:
    full = {n.partition(":")[2]: n for n in NETWORKS}
    FORMATS[name] = (suffix, write, tuple(full[n] for n in networks.split()), form)


_add("state dict", ".pth", _weights, "resnet10t mobilenetv2_050 mobilenetv3_small_050 efficientnet_lite0 "
     "vit_tiny_patch16_224 deit_tiny_distilled_patch16_224 convnext_atto ghostnet_050 squeezenet1_1 "
     "densenet121")  # fmt: skip
_add("checkpoint", ".ckpt", _checkpoint, "regnetx_002 repvgg_a0 mobilevit_xxs mobileone_s0 shufflenet_v2_x0_5")
_add("ema", ".bin", _ema, "edgenext_xx_small resnet10t convnext_atto")
_add("old state dict", ".pth.tar", _legacy, "mobilenetv3_small_050 ghostnet_050 squeezenet1_1 mobilevit_xxs")
_add("safetensors", ".safetensors", _safetensors,
     "efficientnet_lite0 vit_tiny_patch16_224 regnetx_002 edgenext_xx_small densenet121 "
     "shufflenet_v2_x0_5")  # fmt: skip
_add("module", ".pt", _module, "resnet10t mobilenetv2_050 efficientnet_lite0 vit_tiny_patch16_224 convnext_atto "
     "repvgg_a0 mobilevit_xxs edgenext_xx_small squeezenet1_1 densenet121")  # fmt: skip
_add("old module", ".pt", _legacy_module, "mobilenetv3_small_050 shufflenet_v2_x0_5 deit_tiny_distilled_patch16_224")
_add("TorchScript", ".pt", _script, "resnet10t mobilenetv3_small_050 ghostnet_050 vit_tiny_patch16_224 squeezenet1_1 "
     "convnext_atto", "torchscript")  # fmt: skip
_add("torch.export", ".pt2", _exported, "resnet10t mobilenetv2_050 mobileone_s0 deit_tiny_distilled_patch16_224 "
     "shufflenet_v2_x0_5 regnetx_002", "exported")  # fmt: skip
_add("ONNX opset 11", ".onnx", _onnx(11), "resnet10t squeezenet1_1 mobilenetv2_050", "onnx")
_add("ONNX opset 13", ".onnx", _onnx(13), "shufflenet_v2_x0_5 regnetx_002 ghostnet_050", "onnx")
_add("ONNX opset 17", ".onnx", _onnx(17), "repvgg_a0 mobilevit_xxs convnext_atto vit_tiny_patch16_224", "onnx")
_add("ONNX opset 20", ".onnx", _onnx(20), "mobilenetv3_small_050 densenet121", "onnx")
_add("ONNX open axes", ".onnx", _onnx(17, dynamic=True), "efficientnet_lite0 resnet10t", "onnx")
_add("ONNX with data outside", ".onnx", _onnx_outside, "mobilenetv3_small_050 edgenext_xx_small", "onnx")
_add("ONNX QDQ", ".onnx", _onnx_int8("QDQ"), "resnet10t mobilenetv2_050", "onnx")
_add("ONNX QOperator", ".onnx", _onnx_int8("QOperator"), "resnet10t squeezenet1_1", "onnx")


def files() -> list[tuple[str, str]]:
    """List format and network of every file."""
    return [(form, net) for form, (_, _, networks, _) in FORMATS.items() for net in networks]


def write(folder: Path, form: str, net: str) -> Path:
    """Write one file."""
    suffix, writer, _, _ = FORMATS[form]
    path = folder / f"{form}-{net.partition(':')[2]}{suffix}".replace(" ", "_")
    writer(network(net), path)
    return path


def gzipped(path: Path) -> Path:
    """Return a compressed copy."""
    target = path.with_name(f"{path.name}.gz")
    with path.open("rb") as plain, gzip.open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    return target
