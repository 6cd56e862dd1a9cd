"""Where two networks can be compared inside: layers whose maps have as many cells, found by running one batch.

Of every size of map the last layer that puts it out counts; a network that keeps one size (a vision transformer) gives
three of its blocks. Tokens are read as the map that they tile, tokens for the class or for registers left aside.
"""

from dataclasses import dataclass
from math import isqrt, log
from typing import Any

import torch
from torch import Tensor, nn

from advisor.errors import NotApplicable

_EXTRA = 5  # tokens beside the patches at most: class, distillation, registers
_BLOCKS = 3  # places in a network whose maps never change their size
_STRETCHED = log(1.5)  # what halves one side alone, as half of a factorized layer, is no map of the image
_NEAR = log(2) + 1e-6  # maps that differ more in their number of cells across are not compared


@dataclass(frozen=True)
class Place:
    """A layer, and the channels and cells of the map that it puts out."""

    name: str
    channels: int
    side: tuple[int, int]


def as_map(output: Any) -> Tensor | None:
    """Return an output as a map (n, channels, height, width), None where it is none or has a single cell.

    Four axes are NCHW unless the first two are the square ones; three are tokens (n, tokens, channels).
    """
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    if output.dim() == 3:
        side = isqrt(output.shape[1])
        extra = output.shape[1] - side * side
        if extra > _EXTRA or side < 2:
            return None
        return output[:, extra:].transpose(1, 2).reshape(len(output), -1, side, side)
    if output.dim() != 4:
        return None
    last = output.shape[1] == output.shape[2] != output.shape[3]
    found = output.permute(0, 3, 1, 2) if last else output
    return found if min(found.shape[2:]) > 1 else None


def pairs(student: Any, teacher: Any, images: Tensor) -> tuple[tuple[Place, Place], ...]:
    """Return places of student and teacher that belong together, in the order of the student's layers.

    Sizes are paired with the nearest one, each once, at most a factor of two apart.
    """
    mine, theirs = (_by_size(places(network, images)) for network in (student, teacher))
    distances = sorted(
        (abs(log(a[0].side[0] / b[0].side[0])), i, j) for i, a in enumerate(mine) for j, b in enumerate(theirs)
    )
    matched: dict[int, int] = {}
    for distance, i, j in distances:
        if distance <= _NEAR and i not in matched and j not in matched.values():
            matched[i] = j
    found = []
    for i, j in sorted(matched.items()):
        count = min(len(mine[i]), len(theirs[j]))
        found += list(zip(mine[i][-count:], theirs[j][-count:], strict=True))
    if not found:
        raise NotApplicable(
            "no layers of student and teacher put out maps of like size",
            remedy="Teach by answers: objective 'response', 'decoupled' or 'standardised'.",
        )
    return tuple(found)


def places(network: Any, images: Tensor) -> tuple[Place, ...]:
    """Return the layers worth comparing, in the order in which they run."""
    seen: list[Place] = []
    for name, _, output in run(network, images):
        found = as_map(output)
        if found is not None and _shows(found, images):
            seen.append(Place(name, found.shape[1], (found.shape[2], found.shape[3])))
    groups = _by_size(tuple(seen))
    if len(groups) == 1:
        blocks = [place for place in groups[0] if _is_block(network, place.name)] or list(groups[0])
        count = min(_BLOCKS, len(blocks))
        return tuple(blocks[(i + 1) * len(blocks) // count - 1] for i in range(count))
    return tuple(group[-1] for group in groups)


def embedding(network: Any, images: Tensor) -> str | None:
    """Return the layer that makes the answers, whose input is the network's description of an image."""
    last = None
    answers = _quietly(network, images)
    for name, layer, output in run(network, images):
        wanted = isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1))
        if wanted and isinstance(output, Tensor) and isinstance(answers, Tensor):
            last = name if output.numel() == answers.numel() and output.shape[:2] == answers.shape[:2] else last
    return last


def run(network: Any, images: Tensor) -> list[tuple[str, Any, Any]]:
    """Run a batch and return name, layer and output of every layer that ran exactly once, in order."""
    ran: list[tuple[str, Any, Any]] = []

    def noted(name: str) -> Any:
        return lambda layer, _, output: ran.append((name, layer, output))

    hooks = [layer.register_forward_hook(noted(name)) for name, layer in network.named_modules() if name]
    try:
        _quietly(network, images)
    finally:
        for hook in hooks:
            hook.remove()
    names = [name for name, _, _ in ran]
    return [one for one in ran if names.count(one[0]) == 1]


def _quietly(network: Any, images: Tensor) -> Any:
    """Return the answers in evaluation mode, which changes no statistics."""
    modes = {name: layer.training for name, layer in network.named_modules()}
    place = next((tensor.device for tensor in network.parameters()), images.device)
    network.eval()
    try:
        with torch.no_grad():
            return network(images.to(place))
    finally:
        for name, layer in network.named_modules():
            layer.training = modes[name]


def _shows(found: Tensor, images: Tensor) -> bool:
    """Whether cells tile the images: as many maps, hardly wider or higher; heads and windows of attention do not."""
    wide, high = (cells / pixels for cells, pixels in zip(found.shape[2:], images.shape[2:], strict=True))
    return len(found) == len(images) and max(wide, high) <= 1 and abs(log(wide / high)) < _STRETCHED


def _by_size(found: tuple[Place, ...]) -> list[tuple[Place, ...]]:
    sizes = list(dict.fromkeys(place.side for place in found))
    return [tuple(place for place in found if place.side == side) for side in sizes]


def _is_block(network: Any, name: str) -> bool:
    """Whether this is one of several composite layers in a row."""
    parent = network.get_submodule(name.rpartition(".")[0])
    inside = any(True for _ in network.get_submodule(name).children())
    return inside and isinstance(parent, nn.Sequential | nn.ModuleList)
