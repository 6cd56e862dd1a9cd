"""What can be done with a model in the form it was given, said before anything is tried."""

from collections.abc import Mapping
from typing import Any, get_args

from advisor.schema import Ability, Action

_FORMS = {
    "torchscript": "a TorchScript archive",
    "exported": "a torch.export archive",
    "onnx": "an ONNX file",
}


def abilities(facts: Mapping[str, Any]) -> tuple[Ability, ...]:
    """Return the abilities in the order of a journey; `facts` are those of the model."""
    form = _FORMS.get(str(facts.get("model.format")))
    inputs = int(facts.get("model.inputs_n", 1))
    whole = several_inputs(inputs)
    already = "it is int8 already: its float weights are needed" if facts.get("model.quantized") else ""
    frozen = f"{form} holds a fixed graph; it needs the torch module" if form else ""
    reasons: dict[Action, str] = {
        "profile": "",
        "preview": already,
        "quantize": already or whole,
        "prune": already or frozen or whole,
    }
    return tuple(Ability(action=action, possible=not why, why=why) for action, why in reasons.items())


def unknown_network() -> tuple[Ability, ...]:
    """Return the abilities of weights whose network is not known."""
    why = "the network that the weights belong to is not known; name it with --arch"
    return tuple(Ability(action=action, possible=False, why=why) for action in get_args(Action))


def several_inputs(count: int) -> str:
    """Say why a network with several inputs cannot be worked on with a folder of images; empty for one input."""
    return "" if count == 1 else f"images are one input, this network takes {count}"


def structure_is_fixed(model_format: str) -> str:
    """Say why the structure of a model in this form cannot be changed; empty where it can."""
    form = _FORMS.get(model_format)
    return f"needs the torch module; {form} is not enough" if form else ""
