"""What can be carried out here, decided before anything is done: every refusal names the technique and a way out."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from advisor.errors import NotApplicable
from advisor.facts import several_inputs, structure_is_fixed
from advisor.schema import Plan, Step
from advisor.techniques.subject import Need

from .data import DataSplit

if TYPE_CHECKING:
    from advisor.loading import LoadedModel


def apply_module(step: Step) -> ModuleType | None:
    """Return the `apply` module beside the step's own, None where this version brings none."""
    name = f"{type(step).__module__.rpartition('.')[0]}.apply"
    return import_module(name) if find_spec(name) else None


def applier(step: Step) -> ModuleType:
    """Return the `apply` module of a step or refuse."""
    module = apply_module(step)
    if module is None:
        raise NotApplicable(
            f"{step.technique} ({step.label}) can be recommended but not carried out by this version",
            remedy="Choose another candidate, or carry this one out with the tools that its report names.",
        )
    return module


def ends_in_onnx(step: Step) -> bool:
    """Whether the step leaves an ONNX file that later steps cannot change the structure of."""
    module = applier(step)
    return module.STAGE == "onnx" or hasattr(module, "conversion")


def check_plan(plan: Plan, loaded: "LoadedModel", data_dir: Any) -> None:
    """Refuse a plan whose techniques, order, model format or data do not fit, before any data are read."""
    if several := several_inputs(len(loaded.inputs)):
        raise NotApplicable(
            several,
            where=", ".join(one.text for one in loaded.inputs),
            remedy="Wrap the network so that it takes images alone, or use its recommendation without apply.",
        )
    exported = ""
    for step in plan.steps:
        stage = applier(step).STAGE
        if stage == "torch" and (fixed := structure_is_fixed(loaded.format)):
            raise NotApplicable(
                f"{step.technique} {fixed}",
                where=loaded.source,
                remedy="Give the model as a checkpoint or module, or choose a plan without this technique.",
            )
        if stage == "torch" and exported:
            raise NotApplicable(
                f"{step.technique} comes after {exported}, which ends in an ONNX file",
                remedy="Change the structure first and quantize last.",
            )
        if loaded.random_weights and getattr(applier(step), "TAUGHT", False):
            raise NotApplicable(
                f"{step.technique} learns from the original, whose weights are random",
                where=loaded.source,
                remedy="Give a trained checkpoint, or choose a plan that does not need a teacher.",
            )
        exported = step.technique if ends_in_onnx(step) else exported
        need = needed(step)
        if need != "nothing" and data_dir is None:
            raise NotApplicable(
                f"{step.technique} needs {_NEEDS[need]}",
                remedy="Name a folder with images with --data, or choose a plan that needs none.",
            )
    if plan.runtime == "pytorch" and exported:
        raise NotApplicable(f"{exported} gives an ONNX file, which pytorch does not run", remedy="Use onnxruntime.")


def check_data(plan: Plan, data: DataSplit | None) -> None:
    """Refuse a plan whose needs the images do not meet."""
    if data is None:
        return
    for step in plan.steps:
        need = needed(step)
        if need == "labels" and not data.train:
            raise NotApplicable(
                f"{step.technique} needs {_NEEDS[need]}; {data.origin} has none to train on",
                remedy="Put labelled images into class folders (or train/), or choose a plan without fine-tuning.",
            )
        if need == "calibration" and not data.calibration:
            raise NotApplicable(
                f"{step.technique} needs {_NEEDS[need]}; {data.origin} holds test images only",
                remedy="Add images under calib/ or train/; test images must not set ranges.",
            )


def needed(step: Step) -> Need:
    """Return which data the step cannot do without."""
    need: Need = applier(step).needs(step)
    return need


_NEEDS = {"calibration": "calibration images", "labels": "labelled training images"}
