"""Pairs of published accuracies, before and after a technique, and of the file sizes that some sources state beside."""

from collections.abc import Callable, Iterator
from typing import Any

from advisor.learning.accuracies import Compared, read_accuracies
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8

from .networks import model_facts_of
from .pair import ACCURACY, SIZE, Pair
from .plans import facts_of_bits, facts_of_precision, facts_of_steps
from .settings import Settings

_TASKS = {"classification", "detection", "segmentation", "pose", "depth", "superres"}
_FAMILIES = {"detection": "detector", "segmentation": "segmenter"}
_SMALL = ("CIFAR",)  # data sets of 32 pixels
_LEAST_EPOCHS = 1  # a source that fine-tuned and does not say for how long did so for one epoch at least


def accuracy_pairs(settings: Settings) -> Iterator[Pair]:
    """Yield the pairs of the shipped accuracies whose source keeps them, and sizes where they are stated."""
    for row in read_accuracies():
        convention = settings.convention(row)
        plan = _PLANS[row.technique](row) if row.technique in _PLANS else None
        if convention is None or plan is None:
            continue
        facts = {**model_facts_of_row(row, settings), **_runtime(row), **convention.facts, **plan}
        if plan["plan.bits_w"] <= 8:
            facts |= _scales(row)
        if row.metric in settings.metrics:
            yield Pair(row.source, row.network, row.device or row.toolkit, ACCURACY, "plan", float(row.delta), facts)
        stated = row.settings
        if "size_mb_fp32" in stated and "size_mb_int8" in stated:
            ratio = float(stated["size_mb_fp32"]) / float(stated["size_mb_int8"])
            weights = {"model.params": 1.0, "model.weight_bytes": 4.0}  # an fp32 file, of whatever size
            yield Pair(row.source, row.network, row.toolkit, SIZE, "plan", ratio, {**facts, **weights})


def model_facts_of_row(row: Compared, settings: Settings) -> dict[str, Any]:
    """Return what the network's layers, its name, its task and the size of its images tell."""
    facts: dict[str, Any] = {}
    if row.task in _TASKS:
        facts["model.task"] = row.task
    if row.task in _FAMILIES:
        facts["model.family"] = _FAMILIES[row.task]
    facts |= {**settings.named(row.network), **model_facts_of(row.network)}
    if row.dataset.startswith(_SMALL):
        facts["model.in_res"] = 32
    elif row.dataset.lower().startswith("imagenet"):
        facts.setdefault("model.in_res", 224)
    return facts


def _runtime(row: Compared) -> dict[str, Any]:
    return {"rt.name": row.runtime} if row.runtime else {}


def _scales(row: Compared) -> dict[str, Any]:
    """Return the granularity of weight scales and their form where a quantized row names them."""
    stated = row.settings
    facts: dict[str, Any] = {}
    if "per_channel" in stated:
        facts["plan.weight_gran"] = "per_channel" if stated["per_channel"] == "1" else "per_tensor"
    elif "granularity" in stated:
        facts["plan.weight_gran"] = stated["granularity"].replace("-", "_")
    if "scale" in stated:
        facts["rt.po2_scales"] = stated["scale"] == "po2"
    return facts


def _bits(row: Compared) -> tuple[int, int] | None:
    pair = (row.settings.get("bits_w", ""), row.settings.get("bits_a", ""))
    return (int(pair[0]), int(pair[1])) if all(text.isdigit() for text in pair) else None


def _static(row: Compared) -> dict[str, Any] | None:
    bits = _bits(row)
    if bits is None or "prior_pruning_flops" in row.settings:
        return None
    return facts_of_precision((StaticInt8(),)) if bits == (8, 8) else facts_of_bits(*bits)


def _qat(row: Compared) -> dict[str, Any] | None:
    return facts_of_precision((QAT(epochs=_epochs(row)),)) if _bits(row) == (8, 8) else None


def _epochs(row: Compared) -> int:
    text = row.settings.get("epochs", "")
    return max(int(text), _LEAST_EPOCHS) if text.isdigit() else _LEAST_EPOCHS


def _trained(row: Compared) -> int | None:
    """Return the epochs of fine-tuning, None where the source does not say whether there were any."""
    told = row.settings.get("finetuned", "")
    return {"0": 0, "1": _epochs(row)}.get(told)


def _pruned(row: Compared) -> dict[str, Any] | None:
    """Return the facts of structured pruning; the ratios of a setting are what is kept."""
    epochs = _trained(row)
    return None if epochs is None else facts_of_steps((PruneChannels(ratio=0.5, epochs=epochs),), _kept(row))


def _kept(row: Compared) -> dict[str, Any]:
    stated, names = row.settings, (("macs_ratio", "flops_ratio"), ("params_ratio", "params_ratio"))
    return {f"plan.{name}": float(stated[key]) for name, key in names if key in stated}


def _factorized(row: Compared) -> dict[str, Any] | None:
    epochs = _trained(row)
    return None if epochs is None else facts_of_steps((LowRank(epochs=epochs),), _kept(row))


def _sparse(row: Compared) -> dict[str, Any] | None:
    epochs, share = _trained(row), row.settings.get("sparsity")
    if share is None or not 0 < float(share) < 1 or epochs is None:
        return None
    return facts_of_precision((Sparsify(sparsity=float(share), epochs=epochs),))


def _two_of_four(row: Compared) -> dict[str, Any] | None:
    epochs = _trained(row)
    if (row.settings.get("n"), row.settings.get("m")) != ("2", "4") or epochs is None:
        return None
    return facts_of_precision((Sparsify(pattern="2:4", sparsity=0.5, epochs=epochs),))


_PLANS: dict[str, Callable[[Compared], dict[str, Any] | None]] = {
    "ptq_static": _static,
    "qat": _qat,
    "prune_structured": _pruned,
    "low_rank": _factorized,
    "prune_unstructured": _sparse,
    "prune_nm": _two_of_four,
}
