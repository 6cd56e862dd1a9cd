"""Feeding smaller images: position tables are resampled where the network has any, all other weights stay."""

import copy

from advisor.errors import NotApplicable
from advisor.techniques.rehearsal import rehearse
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import LowerResolution

STAGE: Stage = "torch"


def needs(step: LowerResolution) -> Need:
    """Tell which data the step cannot do without: labels for fine-tuning at the new size."""
    return "labels" if step.epochs > 0 else "nothing"


def apply(step: LowerResolution, subject: Subject) -> Change:
    """Return a copy of the module that reads images of the new size."""
    if subject.module is None:
        raise NotApplicable("resolution needs the torch module, not an ONNX file")
    if len(subject.input_shape) != 4:
        raise NotApplicable(f"resolution: an input of shape {subject.input_shape} is no image")
    size, shape = (step.height, step.width), (*subject.input_shape[:2], step.height, step.width)
    module = copy.deepcopy(subject.module).cpu().eval()
    if hasattr(module, "set_input_size"):  # timm's networks with position tables or windows
        module.set_input_size(img_size=size)
    rehearse(
        module, shape, f"resolution: the network does not read {shape[2]}x{shape[3]}",
        remedy="Build it for this size, or choose a plan without a change of resolution.",
    )  # fmt: skip
    before = "x".join(map(str, subject.input_shape[2:]))
    return Change(done=f"input {before} became {size[0]}x{size[1]}", module=module, input_shape=shape)
