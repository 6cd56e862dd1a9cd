"""How good a torch module is at a task, for choosing epochs and settings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .task import Task

if TYPE_CHECKING:
    from ..images import ImageReader
    from ..items import Item


def module_score(task: Task, module: Any, items: Sequence["Item"], reader: "ImageReader", batch: int = 128) -> float:
    """Return the metric of a module in evaluation mode, turned so that more is better (an error is negative)."""
    import torch

    module.eval()
    place = next((tensor.device for tensor in module.parameters()), torch.device("cpu"))
    seen: list[Any] = []
    with torch.inference_mode():
        for start in range(0, len(items), batch):
            part = items[start : start + batch]
            outputs = as_arrays(module(torch.from_numpy(reader.batch(part)).to(place)))
            seen += task.observe(outputs, task.targets(part, reader))
    score = task.score(seen)
    return score if task.better == "higher" else -score


def as_arrays(outputs: Any) -> tuple[Any, ...]:
    """Return a module's outputs as a runtime would: a tuple of arrays."""
    import torch

    if isinstance(outputs, torch.Tensor):
        return (outputs.float().cpu().numpy() if outputs.is_floating_point() else outputs.cpu().numpy(),)
    values = outputs.values() if isinstance(outputs, Mapping) else outputs
    return tuple(as_arrays(value)[0] if isinstance(value, torch.Tensor) else value for value in values)
