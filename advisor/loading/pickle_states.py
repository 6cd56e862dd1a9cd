"""Which objects a checkpoint may fill, and with what kind of state."""

from collections.abc import Collection
from typing import Any

from .pickle_values import NUMPY_TYPE, Box, Global, Made, Refused

_NUMPY_STATE = (None, None, None, -1, -1, 0)  # no fields, no sizes of its own: a number
_MOST_LAYERS = 1000  # of a recurrent network; honest ones have a few


def judge_state(target: Any, state: Any, created: Collection[str]) -> None:
    """Raise Refused unless torch.save could have written this state for this object; `created` are classes of objects.

    What is in the state of a layer is looked at when it has been built.
    """
    if isinstance(target, Made) and target.name == "functools.partial":
        fits = isinstance(state, tuple) and len(state) == 4 and isinstance(state[0], Global)
    elif target is NUMPY_TYPE:  # its byte order
        fits = isinstance(state, tuple) and state[1:] in [(order, *_NUMPY_STATE) for order in "<>|="]
    elif isinstance(target, Box):  # what torch.save notes beside a state dict
        fits = isinstance(state, Box) and target.kind == "dict" and state.items == ["_metadata"]
    else:
        fits = isinstance(state, Box) and state.kind == "dict"
        fits = fits and isinstance(target, Made) and target.name in created
        if fits and target.name.startswith("torch.nn.modules.rnn.") and not _few(state.layers):
            raise Refused("a recurrent layer has an impossible number of layers")  # it makes lists for them at once
    if not fits:
        raise Refused("the pickle fills an object with a state that does not belong to it")


def _few(layers: Any) -> bool:
    return type(layers) is int and layers <= _MOST_LAYERS
