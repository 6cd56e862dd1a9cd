"""The last step of loading: inputs, preprocessing and, unless a profile follows at once, a pass that checks them."""

from typing import Any

from torch import nn

from advisor.schema import ModelInput

from .model import LoadedModel
from .preprocessing import preprocessing
from .rehearsal import rehearse
from .request import Origin, Request

_USUAL_SIDE = 224


def finish(
    module: nn.Module, request: Request, origin: Origin, inputs: tuple[ModelInput, ...] | None = None
) -> LoadedModel:
    """Return the network with its inputs: `inputs` of a graph that fixes them, what was asked for, or the usual."""
    inputs = inputs or request.inputs or (ModelInput(shape=_usual_shape(module, request.batch)),)
    config: dict[str, Any] | None = getattr(module, "pretrained_cfg", None)
    return LoadedModel(
        module=module.eval(),
        onnx_path=None,
        name=origin.name,
        source=origin.source,
        format=origin.format,
        inputs=inputs,
        preprocessing=preprocessing(inputs[0].shape, config),
        random_weights=origin.random,
        classes=_classes(module, inputs) if request.check else None,
        arch=origin.arch,
        spec=request.spec(origin.spec or origin.source, inputs, origin.files),
        kind=origin.kind,
        recognised=origin.recognised,
        twins=origin.twins,
        notes=origin.notes,
    )


def _classes(module: nn.Module, inputs: tuple[ModelInput, ...]) -> int | None:
    """Run the network once on fake tensors, so that a wrong input is found here and explained."""
    outputs = rehearse(module, inputs).outputs
    return int(outputs[0].shape[1]) if len(outputs) >= 1 and outputs[0].dim() == 2 else None


def _usual_shape(module: nn.Module, batch: int) -> tuple[int, ...]:
    """Return the input that the network was designed for, else its first layer's channels at 224 x 224."""
    size = (getattr(module, "pretrained_cfg", None) or {}).get("input_size")
    if size:
        return (batch, *map(int, size))
    for layer in module.modules():
        if isinstance(layer, nn.Conv1d):
            return (batch, layer.in_channels, _USUAL_SIDE)
        if isinstance(layer, nn.Conv2d):
            return (batch, layer.in_channels, _USUAL_SIDE, _USUAL_SIDE)
        if isinstance(layer, nn.Linear):
            return (batch, layer.in_features)
    return (batch, 3, _USUAL_SIDE, _USUAL_SIDE)
