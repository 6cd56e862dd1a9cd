"""Fitting the thinner layers to what the layer answers on calibration images, rather than to its kernel alone.

A kernel loses least where its inputs lie least. For SVD the best layers of a rank follow from the second moments of the
outputs: their leading directions, and the kernel seen along them (Zhang et al. 2016, section 3; SVD with whitened
activations as in SVD-LLM 2024 comes to the same). For spatial SVD and Tucker-2, whose first layers are fixed by their
shape, the last one is refitted by least squares, drawn towards where it was as far as images are too few to tell.
"""

from collections.abc import Iterable
from typing import Any

from .layers import thinner
from .ranks import Factor

Kernels = tuple[Any, ...]
_POSITIONS = 512  # places of an image that take part; neighbours say the same
_DRAW = 1e-3  # of the mean square of the features: how strongly the refit is drawn towards the start


class _Moments:
    """Sums over positions of x, y, x x^T and x y^T."""

    def __init__(self, wide: int, tall: int) -> None:
        import torch

        self.count = 0
        self.x, self.y = torch.zeros(wide, dtype=torch.float64), torch.zeros(tall, dtype=torch.float64)
        self.xx = torch.zeros(wide, wide, dtype=torch.float64)
        self.xy = torch.zeros(wide, tall, dtype=torch.float64)

    def add(self, x: Any, y: Any) -> None:
        """Take in rows of x and y."""
        x, y = x.double(), y.double()
        self.count += len(x)
        self.x += x.sum(dim=0)
        self.y += y.sum(dim=0)
        self.xx += x.T @ x
        self.xy += x.T @ y

    def centred(self, centre: bool) -> tuple[Any, Any, Any, Any]:
        """Return the moments x x^T and x y^T per position and the means, about zero unless `centre`."""
        import torch

        xx, xy, x, y = self.xx / self.count, self.xy / self.count, self.x / self.count, self.y / self.count
        if not centre:
            return xx, xy, torch.zeros_like(x), torch.zeros_like(y)
        return xx - torch.outer(x, x), xy - torch.outer(x, y), x, y


def fit(
    module: Any, chosen: dict[str, tuple[Factor, ...]], starts: dict[str, Kernels], batches: Iterable[Any]
) -> dict[str, tuple[Kernels, Any]]:
    """Return kernels and bias of the thinner layers of each chosen layer of an unchanged module.

    `starts` are the kernels by the weights alone. One pass over the images serves all layers.
    """
    import torch

    moments: dict[str, _Moments] = {}
    layers = {path: module.get_submodule(path) for path in chosen}
    watched = {path: _watch(layers[path], parts, starts[path]) for path, parts in chosen.items()}
    handles = []
    for path, features in watched.items():

        def note(layer: Any, inputs: Any, output: Any, path: str = path, features: Any = features) -> None:
            x, y = _sampled(features(inputs[0], output), output, layer)
            moments.setdefault(path, _Moments(x.shape[1], y.shape[1])).add(x, y)

        handles.append(layers[path].register_forward_hook(note))
    try:
        with torch.no_grad():
            for batch in batches:
                module(torch.from_numpy(batch))
    finally:
        for handle in handles:
            handle.remove()
    return {
        path: _refitted(layers[path], parts, starts[path], moments[path])
        for path, parts in chosen.items()
        if path in moments
    }


def _by_outputs(parts: tuple[Factor, ...]) -> bool:
    """Whether the layers are those of SVD, which the moments of the outputs alone determine."""
    return len(parts) == 2 and parts[0].taps == parts[1].taps


def _watch(layer: Any, parts: tuple[Factor, ...], start: Kernels) -> Any:
    """Return what gives the features that the last layer reads: windows over the answers of those before it."""
    import torch

    if _by_outputs(parts):
        return lambda _, output: output
    last, first = parts[-1], [thinner(layer, part, k) for part, k in zip(parts[:-1], start[:-1], strict=True)]
    before, window = torch.nn.Sequential(*first), thinner(layer, last, start[-1])
    geometry = {name: getattr(window, name) for name in ("kernel_size", "dilation", "padding", "stride")}

    def features(inputs: Any, _: Any) -> Any:
        return torch.nn.functional.unfold(before(inputs), **geometry)

    return features


def _sampled(features: Any, output: Any, layer: Any) -> tuple[Any, Any]:
    """Return features and the layer's answers without its bias, a row a position, some positions of every image."""
    import torch

    if isinstance(layer, torch.nn.Linear):
        rows = [tensor.reshape(-1, tensor.shape[-1]) for tensor in (features, output)]
        stride = max(len(rows[0]) // (_POSITIONS * len(output)), 1)
        x, y = (row[::stride] for row in rows)
    else:
        x, y = (tensor.flatten(2) for tensor in (features, output))
        stride = max(x.shape[2] // _POSITIONS, 1)
        x, y = (tensor[..., ::stride].transpose(1, 2).flatten(0, 1) for tensor in (x, y))
    if layer.bias is None:
        return x, y
    return (x - layer.bias if features is output else x), y - layer.bias


def _refitted(layer: Any, parts: tuple[Factor, ...], start: Kernels, found: _Moments) -> tuple[Kernels, Any]:
    """Return the kernels that answer most like the layer did, and the bias, which takes up the mean of what is lost."""
    import torch

    xx, xy, mean_x, mean_y = found.centred(layer.bias is not None)
    last = start[-1].double().flatten(1)
    if _by_outputs(parts):
        _, directions = torch.linalg.eigh(xx)
        last = directions[:, -parts[0].channels_out :].flip(1)
        first = last.T @ layer.weight.detach().double().flatten(1)
        scale = (last.abs().max() / first.abs().max().clamp_min(1e-30)).sqrt()  # no kernel much larger than the other
        kernels: Kernels = ((first * scale).reshape(start[0].shape), (last / scale).reshape(start[1].shape))
        loss = mean_y - last @ (last.T @ mean_y)
    else:
        draw = _DRAW * xx.diagonal().mean().clamp_min(1e-30) * torch.eye(len(xx), dtype=xx.dtype)
        last = torch.linalg.solve(xx + draw, xy + draw @ last.T).T
        kernels = (*start[:-1], last.reshape(start[-1].shape))
        loss = mean_y - last @ mean_x
    bias = None if layer.bias is None else layer.bias.detach() + loss.to(layer.bias.dtype)
    return tuple(kernel.float() for kernel in kernels), bias
