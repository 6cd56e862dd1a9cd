"""What a network is for: the loss that trains it, the metric that judges it, and how targets follow their images."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from advisor.measurement.comparison import Compared, compared

if TYPE_CHECKING:
    from ..geometry import Geometry
    from ..images import ImageReader
    from ..items import Item


class Task:
    """The base of all tasks.

    `outputs` are tuples of arrays as a runtime gives them, the batch first; `targets` are those of the same images. An
    observation is what one image adds to the metric: any value, of which `score` makes the figure for many.
    """

    name: str = "task"
    metric: str = "score"
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    located: bool = False  # targets belong to places in the image, so that moving one moves the other
    replicates: int = 200  # of the bootstrap; its standard error is then known to 5 %
    data: Any = None  # what a function of the user's gives along: a dataset, or several by their parts

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return the loss of a batch as a scalar tensor; `outputs` are the module's own."""
        raise NotImplementedError

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[Any]:
        """Return one observation for each image."""
        raise NotImplementedError

    def score(self, observations: Sequence[Any]) -> float:
        """Return the metric over these images, in `unit`."""
        raise NotImplementedError

    def fit(self, target: Any, geometry: "Geometry") -> Any:
        """Move a target with its image; those that are not located stay."""
        del geometry
        return target

    def collate(self, targets: Sequence[Any]) -> Any:
        """Return the targets of a batch as `loss` takes them: one tensor where they are numbers or arrays."""
        import torch

        array = np.asarray(targets)
        return torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array)

    def targets(self, items: Sequence["Item"], reader: "ImageReader") -> list[Any]:
        """Return the target of each image, moved as the reader moves the image."""
        return [self.fit(item.origin.target(item), reader.geometry(item)) for item in items]

    def compare(self, before: Sequence[Any], after: Sequence[Any], seed: int) -> Compared:
        """Compare two networks by their observations on the same images."""
        return compared(self, before, after, seed)

    def described(self) -> Mapping[str, str]:
        """Return name, metric and unit for a record."""
        return {"task": self.name, "metric": self.metric, "unit": self.unit}


def first(outputs: Any) -> Any:
    """Return the main output of a module or session: of several the first, of named ones 'out' or the first."""
    if isinstance(outputs, Mapping):
        return outputs["out"] if "out" in outputs else next(iter(outputs.values()))
    return outputs[0] if isinstance(outputs, tuple | list) else outputs
