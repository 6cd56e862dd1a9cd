"""Quantization-aware training: layers round weights and inputs while they are fine-tuned, then int8 is made of them.

The training itself is done by the executor, as for every step with epochs; `finish` takes the rounding out again, and
`conversion` is the step that turns the float file into a real int8 one, with ranges from calibration images.
"""

import copy
from collections.abc import Iterable
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import QAT

STAGE: Stage = "torch"


def needs(step: QAT) -> Need:
    """Tell which data the step cannot do without: labelled images."""
    return "labels"


def training(step: QAT) -> dict[str, Any]:
    """Tell how the module is trained: in full precision, because 16-bit floats have grids of their own.

    Its norms rest in the last third of the epochs where the step says so.
    """
    told: dict[str, Any] = {"mixed_precision": False}
    if step.norms == "frozen" and step.epochs >= 3:
        told["freeze_norms_after"] = step.epochs - step.epochs // 3
    return told


def apply(step: QAT, subject: Subject) -> Change:
    """Return a copy of the module whose layers round weights and inputs, ready to be trained."""
    from .simulate import simulate

    if subject.module is None:
        raise NotApplicable("qat needs the torch module, not an ONNX file")
    module = copy.deepcopy(subject.module).cpu().eval()
    layers = simulate(module, _grid(step, symmetric=subject.symmetric))
    if not layers:
        raise NotApplicable("qat finds no convolution or linear layer in this network")
    return Change(
        done=f"trained with int8 rounding in {layers} layers",
        module=module,
        details={"rounded_layers": layers, "learning_rate": step.learning_rate, "norms": step.norms},
    )


def finish(step: QAT, module: Any) -> None:
    """Take the rounding out of the trained module, in place."""
    from .simulate import restore

    restore(module)


def after_training(step: QAT, module: Any, batches: Iterable[Any]) -> None:
    """Estimate batch norms anew while layers round, in place, so that they fit the int8 network."""
    if step.norms != "reestimated":
        return
    from advisor.techniques.batch_norm import reestimate

    from .simulate import restore, simulate

    simulate(module, _grid(step, symmetric=False))
    reestimate(module, batches)
    restore(module)


def conversion(step: QAT) -> StaticInt8:
    """Return the step that makes the int8 file."""
    return StaticInt8(
        weights=step.weights,
        signedness=step.signedness,
        reduce_range=step.reduce_range,
        power_of_two_scales=step.power_of_two_scales,
    )


def _grid(step: QAT, *, symmetric: bool) -> Any:
    from .simulate import Grid

    return Grid(
        per_channel=step.weights == "per_channel",
        symmetric=symmetric,
        seven_bits=step.reduce_range,
        power_of_two=step.power_of_two_scales,
    )
