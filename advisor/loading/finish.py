"""The last step of loading: inputs, preprocessing and, unless a profile follows at once, a pass that checks them."""

from typing import Any

from torch import nn

from advisor.schema import ModelInput

from .model import LoadedModel
from .preprocessing import preprocessing
from .rehearsal import rehearse
from .request import Origin, Request
from .shapes import usual_shape


def finish(
    module: nn.Module, request: Request, origin: Origin, inputs: tuple[ModelInput, ...] | None = None
) -> LoadedModel:
    """Return the network with its inputs: `inputs` of a graph that fixes them, what was asked for, or the usual."""
    inputs = inputs or request.inputs or (ModelInput(shape=usual_shape(module, request.batch)),)
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
