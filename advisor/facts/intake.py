"""The record of what a model is, from what loading and profiling found. Torch-free."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.schema import Intake, Workload

from .abilities import abilities

if TYPE_CHECKING:
    from advisor.loading import LoadedModel, Preprocessing


def describe(loaded: "LoadedModel", workload: Workload, facts: Mapping[str, Any]) -> Intake:
    """Return what `advisor identify` shows; `facts` are those of `model_facts`."""
    digests: dict[str, str] = loaded.spec.get("sha256", {})
    return Intake(
        name=loaded.name,
        source=loaded.source,
        kind=loaded.kind,
        format=loaded.format,
        arch=loaded.arch,
        recognised=loaded.recognised,
        twins=loaded.twins,
        inputs=loaded.inputs,
        preprocessing=_in_words(loaded.preprocessing),
        tensors=len(workload.weights),
        parameters=workload.params,
        bytes=sum(Path(file).stat().st_size for file in digests),
        sha256=digests,
        random_weights=loaded.random_weights,
        quantized=facts.get("model.quantized"),
        task=facts.get("model.task"),
        classes=facts.get("model.classes"),
        head=facts.get("model.head"),
        outputs=tuple(workload.tensor[t].shape for t in workload.outputs),
        abilities=abilities(facts),
        notes=loaded.notes,
    )


def _in_words(preprocessing: "Preprocessing") -> str:
    height, width = preprocessing.size
    figures = [", ".join(f"{v:.3g}" for v in values) for values in (preprocessing.mean, preprocessing.std)]
    known = "as published" if preprocessing.source == "pretrained_cfg" else "assumed: ImageNet's"
    crop = "" if preprocessing.crop_pct == 1 else f", crop {preprocessing.crop_pct:.3g} of the edge"
    return f"{height}x{width} {preprocessing.interpolation}{crop}, mean {figures[0]}, std {figures[1]} ({known})"
