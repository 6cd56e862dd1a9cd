"""Detection and instance masks: COCO's mean average precision, through torchmetrics."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from advisor.errors import DataError, NotApplicable

from .task import Task

if TYPE_CHECKING:
    from ..geometry import Geometry

Found = Mapping[str, Any]  # boxes (n, 4) of left, top, right, bottom in the input's pixels, scores (n), labels (n)
Decode = Callable[[tuple[Any, ...]], Sequence[Found]]


class Detection(Task):
    """Boxes (and masks) of objects. Targets are {"boxes": (n, 4), "labels": (n), optionally "masks": (n, h, w)}.

    Boxes are left, top, right, bottom in pixels of the image that the data give. `decode` turns a batch's outputs into
    one mapping of boxes, scores and labels (and masks) for each image; without it, outputs are taken as (boxes, scores,
    labels), or as one array (n, found, 6) of box, score and label. `loss` is needed for plans that train. An
    observation is (found, wanted) of one image; `masks` judges masks instead of boxes.
    """

    name = "detection"
    metric = "mAP"
    unit = "%"
    located = True
    replicates = 25  # each matches all boxes anew; the standard error is then known to 14 %

    def __init__(
        self,
        data: Any = None,
        decode: Decode | None = None,
        loss: Callable[[Any, Any], Any] | None = None,
        *,
        masks: bool = False,
    ) -> None:
        self.data, self._decode, self._loss, self.masks = data, decode, loss, masks
        self.metric = "mask mAP" if masks else "mAP"

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return what the user's own function says."""
        if self._loss is None:
            raise NotApplicable(
                "training a detector needs its loss",
                where="each detector has its own, which its file does not carry",
                remedy="Give Detection(loss=...), or choose a plan without training.",
            )
        return self._loss(outputs, targets)

    def collate(self, targets: Sequence[Any]) -> list[Any]:
        """Return a list of mappings of tensors, as torchvision's detectors take them."""
        import torch

        return [{name: torch.as_tensor(value) for name, value in target.items()} for target in targets]

    def fit(self, target: Any, geometry: "Geometry") -> dict[str, Any]:
        """Move boxes and masks with their image; drop what falls outside."""
        try:
            boxes = geometry.boxes(np.asarray(target["boxes"]))
            labels = np.asarray(target["labels"]).astype(np.int64).reshape(-1)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(
                "a target is no mapping of boxes (n, 4) and labels (n)",
                where=f"{type(target).__name__}: {error}",
                remedy='Give {"boxes": ..., "labels": ...} for each image.',
            ) from error
        if len(boxes) != len(labels):
            raise DataError(
                f"a target has {len(boxes)} boxes and {len(labels)} labels", remedy="Give each box its label."
            )
        inside = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
        moved: dict[str, Any] = {"boxes": boxes[inside], "labels": labels[inside]}
        if "masks" in target:
            masks = [geometry.mask(mask, 0) > 0 for mask in np.asarray(target["masks"])[inside]]
            width, height = geometry.size
            moved["masks"] = np.stack(masks) if masks else np.zeros((0, height, width), dtype=bool)
        return moved

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[tuple[Found, Found]]:
        """Pair what was found with what was wanted."""
        found = (self._decode or _decoded)(outputs)
        if len(found) < len(targets):
            raise DataError(
                f"decode gave results for {len(found)} of {len(targets)} images", remedy="Return one for each image."
            )
        return [(dict(f), dict(t)) for f, t in zip(found, targets, strict=False)]

    def score(self, observations: Sequence[tuple[Found, Found]]) -> float:
        """Return COCO's mAP (IoU 0.50 to 0.95) in percent; 0 where nothing was wanted."""
        metric = _metric("segm" if self.masks else "bbox")
        metric.update([_tensors(f, masks=self.masks) for f, _ in observations],
                      [_tensors(t, masks=self.masks) for _, t in observations])  # fmt: skip
        return max(0.0, 100 * float(metric.compute()["map"]))


def _metric(kind: Literal["segm", "bbox"]) -> Any:
    for package in ("torchmetrics", "faster_coco_eval"):
        if find_spec(package) is None:
            raise NotApplicable(
                f"mAP needs the package {package.replace('_', '-')}", remedy="Install advisor[detection]."
            )
    from torchmetrics.detection import MeanAveragePrecision

    return MeanAveragePrecision(iou_type=kind, backend="faster_coco_eval")


def _tensors(found: Found, *, masks: bool) -> dict[str, Any]:
    import torch

    types = {"boxes": torch.float32, "scores": torch.float32, "labels": torch.int64}
    tensors = {name: torch.as_tensor(found[name]).to(kind) for name, kind in types.items() if name in found}
    tensors["boxes"] = tensors["boxes"].reshape(-1, 4)
    if masks:
        tensors["masks"] = torch.as_tensor(found["masks"]).bool()
    return tensors


def _decoded(outputs: tuple[Any, ...]) -> Sequence[Found]:
    """Read the two common forms of finished detections."""
    if len(outputs) == 1 and isinstance(outputs[0], np.ndarray) and outputs[0].ndim == 3 and outputs[0].shape[2] == 6:
        return [{"boxes": rows[:, :4], "scores": rows[:, 4], "labels": rows[:, 5]} for rows in outputs[0]]
    if len(outputs) >= 3 and getattr(outputs[0], "ndim", 0) == 3 and outputs[0].shape[2] == 4:
        return [{"boxes": b, "scores": s, "labels": c} for b, s, c in zip(*outputs[:3], strict=True)]
    shapes = ", ".join(str(getattr(output, "shape", type(output).__name__)) for output in outputs)
    raise NotApplicable(
        f"the detector's outputs {shapes} are no boxes, scores and labels",
        remedy="Give Detection(decode=...), which makes boxes, scores and labels of them.",
    )
