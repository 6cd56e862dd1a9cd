"""Quantization-aware training: layers round weights and inputs while they are fine-tuned, then int8 is made of them.

The training itself is done by the executor, as for every step with epochs; `finish` takes the rounding out again, and
`conversion` is the step that turns the float file into a real int8 one, with ranges from calibration images.
"""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import QAT

STAGE: Stage = "torch"


def needs(step: QAT) -> Need:
    """Tell which data the step cannot do without: labelled images. Refuse scales not written here."""
    if step.power_of_two_scales:
        raise NotApplicable(
            "qat with power-of-two scales is done with the target's own tools only",
            remedy="Take the float network and the target's training tools, or a plan without this setting.",
        )
    return "labels"


def apply(step: QAT, subject: Subject) -> Change:
    """Return a copy of the module whose layers round weights and inputs, ready to be trained."""
    from .simulate import simulate

    if subject.module is None:
        raise NotApplicable("qat needs the torch module, not an ONNX file")
    module = copy.deepcopy(subject.module).cpu().eval()
    symmetric = bool(subject.path and subject.path.restrictions.activation_symmetric)
    layers = simulate(module, per_channel=step.weights == "per_channel", symmetric=symmetric)
    if not layers:
        raise NotApplicable("qat finds no convolution or linear layer in this network")
    return Change(
        done=f"trained with int8 rounding in {layers} layers",
        module=module,
        details={"rounded_layers": layers, "learning_rate": step.learning_rate},
    )


def finish(step: QAT, module: Any) -> None:
    """Take the rounding out of the trained module, in place."""
    from .simulate import restore

    restore(module)


def conversion(step: QAT) -> StaticInt8:
    """Return the step that makes the int8 file."""
    return StaticInt8(weights=step.weights, signedness=step.signedness)
