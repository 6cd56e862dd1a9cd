"""What is asked: a network, a task, and a technique with its settings, in terms that results can be pooled by.

A row's `setting` is `key=value;key=value` in the words of its source. The keys that matter to accuracy are understood
under all the names that sources give them; every other pair stays as it is, so that results of the same setting meet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log

from advisor.prediction.pooled.evidence import network_of

from .lineage import Lineage, lineage

TECHNIQUES = ("ptq_static", "ptq_dynamic", "qat", "weight_only", "mixed_precision", "prune_structured",
              "prune_unstructured", "prune_nm", "low_rank", "distill", "fp16", "combo")  # fmt: skip
QUANTIZED = frozenset({"ptq_static", "ptq_dynamic", "qat", "weight_only", "mixed_precision", "fp16"})
PRUNED = frozenset({"prune_structured", "prune_unstructured", "prune_nm"})
_ALIASES = {
    "ptq": "ptq_static", "static_int8": "ptq_static", "int8": "ptq_static", "dynamic_int8": "ptq_dynamic",
    "half": "fp16", "bf16": "fp16", "prune": "prune_structured", "prune_channels": "prune_structured",
    "prune_transformer": "prune_structured", "sparsify": "prune_unstructured", "sparsity": "prune_unstructured",
    "weight_clustering": "weight_only", "cluster": "weight_only", "distil": "distill", "distillation": "distill",
    "kd": "distill", "pruning": "prune_structured", "nm": "prune_nm", "token_reduction": "prune_structured",
}  # fmt: skip
# Words of the sources that say nothing about accuracy, or are read into a field of their own.
_DROPPED = frozenset({
    "bits_w", "bits_a", "release", "dfc", "input", "size_mb_fp32", "size_mb_int8", "size_mb", "bops_g", "teacher_acc",
    "flops_ratio", "flops_pruned", "params_ratio", "sparsity", "width", "keep_rate", "finetuned", "precision", "combo",
    "train_flops_vs_dense", "parent", "epochs", "size_ratio", "calib_images", "runtime", "compression_x", "qat",
    "w4_share", "prior_pruning_flops", "macs_ratio", "params_pruned", "ratio", "accumulator_bits",
})  # fmt: skip
_KEPT = ("flops_ratio", "macs_ratio", "flops_kept", "macs_kept")
_REMOVED = ("flops_pruned", "macs_pruned", "flops_reduction", "macs_removed", "prior_pruning_flops")
_KEPT_PARAMS = ("params_ratio", "params_kept", "size_ratio")
_REMOVED_PARAMS = ("params_pruned", "params_removed")


@dataclass(frozen=True)
class Case:
    """One question. `kept` and `kept_params` are shares (1.0: nothing removed); 0 where nothing is known."""

    network: Lineage
    task: str
    world: str  # data set, as a group: ImageNet, CIFAR, COCO, ...
    metric: str
    technique: str
    toolkit: str  # without its version
    flavour: str  # with the framework or version in brackets
    bits_w: str = ""
    bits_a: str = ""
    granularity: str = ""  # channel | tensor
    power_of_two: bool = False
    trained: str = "1"  # 1 | 0 | joint | scratch
    kept: float = 0.0
    kept_params: float = 0.0
    sparsity: float = 0.0
    tokens: bool = False
    teacher: float = 0.0  # accuracy of a teacher in percent
    epochs: float = 0.0  # of a recovery, where it is stated
    baseline: float = 0.0
    pairs: tuple[str, ...] = ()  # other settings, 'key=value'
    device: str = ""  # runtime or quantizer that a row names beside the toolkit
    prior: float = 0.0  # share of MACs removed from the baseline itself

    @property
    def bits(self) -> str:
        """Bits of weights and activations: 'w8a8'."""
        return f"w{self.bits_w or '?'}a{self.bits_a or '?'}"

    @property
    def recipe(self) -> str:
        """Technique and bits, or technique and whether it is trained."""
        if self.technique in QUANTIZED:
            return f"{self.technique} {self.bits}"
        return f"{self.technique} {'tokens ' if self.tokens else ''}{self.trained}"

    @property
    def cut(self) -> float:
        """What was removed, ln(1 / kept): of MACs where known, else of parameters or of weights."""
        kept = self.kept or self.kept_params or (1 - self.sparsity if self.sparsity else 0.0)
        return -log(min(max(kept, 0.01), 1.0)) if kept else 0.0

    @property
    def setting(self) -> str:
        """All other settings as one text."""
        return ";".join(self.pairs)


def parts_of(text: str) -> dict[str, str]:
    """Read 'key=value;key=value'; commas and blanks also part, bare words are their own value 1."""
    found: dict[str, str] = {}
    for part in re.split(r"[;\n|]+", text):
        key, sign, value = part.partition("=" if "=" in part else ":")
        key = re.sub(r"[\s-]+", "_", key.strip().lower())
        if key:
            found[key] = value.strip() if sign else "1"
    return found


def number(text: str) -> float | None:
    """Read '0.5', '50%', '1.32x', '300 epochs'; None where there is no number."""
    found = re.search(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)
    if not found:
        return None
    return float(found[0]) / (100 if "%" in text else 1)


def share(text: str) -> float | None:
    """Read a share: above 1.5 it is taken for percent."""
    value = number(text)
    if value is None or value < 0:
        return None
    return value / 100 if value > 1.5 else min(value, 1.0)


def case_of(row: Mapping[str, str]) -> Case:
    """Return what a row asks; columns as in `knowledge/evidence/accuracy.csv.gz`, `model`/`arch` for `network`."""
    said = parts_of(row.get("setting", ""))
    name = row.get("network") or network_of(row.get("arch", ""), row.get("model", ""))
    network = lineage(name)
    technique = technique_of(row.get("technique", ""))
    toolkit, flavour = toolkit_of(row.get("toolkit", ""))
    kept = _first(said, _KEPT) or _complement(_first(said, _REMOVED))
    if not kept and "width" in said:
        kept = (share(said["width"]) or 0.0) ** 2  # MACs grow with the square of the channels
    if not kept and "keep_rate" in said:
        kept = 0.25 + 0.75 * (share(said["keep_rate"]) or 0.0)  # tokens leave in three of twelve layers
    if not kept and "ratio" in said and technique in PRUNED - {"prune_unstructured", "prune_nm"}:
        kept = _complement(share(said["ratio"]))
    sparsity = _first(said, ("sparsity", "weight_sparsity", "target_sparsity"))
    if technique == "prune_unstructured" and not sparsity and "ratio" in said:
        sparsity = share(said["ratio"]) or 0.0
    if technique == "prune_nm" and not sparsity:
        sparsity = 0.5
    scale = said.get("scale", "")
    return Case(
        network=network, task=row.get("task", "").strip().lower(), world=world_of(row.get("dataset", "")),
        metric=metric_of(row.get("metric", "")), technique=technique, toolkit=toolkit, flavour=flavour,
        bits_w=_bits(said, "bits_w", technique), bits_a=_bits(said, "bits_a", technique),
        granularity=_granularity(said), power_of_two="po2" in scale or "power" in scale or toolkit == "vitis-ai",
        trained=_trained(said, technique), kept=kept, kept_params=_first(said, _KEPT_PARAMS)
        or _complement(_first(said, _REMOVED_PARAMS)), sparsity=sparsity,
        tokens="token" in said.get("kind", "") or "token" in said.get("method", "") or "keep_rate" in said,
        teacher=number(said.get("teacher_acc", "")) or 0.0, epochs=number(said.get("epochs", "")) or 0.0,
        baseline=_value(row.get("baseline", "")), device=(row.get("runtime", "") or said.get("runtime", "")).lower(),
        pairs=tuple(sorted(f"{k}={_short(v)}" for k, v in said.items() if k not in _DROPPED)),
        prior=max(_first(said, ("prior_pruning_flops",)), network.pruned),
    )  # fmt: skip


def components(case: Case, setting: str) -> list[Case]:
    """Return the single techniques of a combination; empty where one of them is not known."""
    said = parts_of(setting)
    named = said.get("combo", "") or next((key for key in said if "+" in key), "")
    steps = [technique_of(word) for word in re.split(r"[+&,/]", named) if word.strip()]
    steps = [step for step in steps if step in TECHNIQUES and step != "combo"]
    whole = []
    for step in steps:
        if step in QUANTIZED:
            usual = _usual_bits(step)
            bits = {"bits_w": case.bits_w or usual, "bits_a": case.bits_a or usual}
            whole.append(replace(case, technique=step, kept=0.0, kept_params=0.0, sparsity=0.0, **bits))  # type: ignore[arg-type]
        elif step in PRUNED:
            whole.append(replace(case, technique=step, bits_w="", bits_a=""))
        else:
            whole.append(replace(case, technique=step))
    return whole


def technique_of(text: str) -> str:
    """Return a technique under our name."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    return "combo" if re.search(r"\w[+&]\w", name) else _ALIASES.get(name, name)


def toolkit_of(text: str) -> tuple[str, str]:
    """Return a toolkit without its version, and with its framework: 'vitis-ai 3.5 (pytorch)' -> vitis-ai, (pytorch)."""
    name = text.strip().lower()
    framework = re.search(r"\(([^)]*)\)", name)
    base = re.sub(r"\s*\([^)]*\)|\s+v?\d[\w.]*", "", name).strip()
    base = {"ai-hub-workbench-quantize": "ai-hub", "ai-hub-workbench": "ai-hub", "stedgeai/tflite": "tflite",
            "paddleslim-act": "paddleslim"}.get(base, base)  # fmt: skip
    return base, f"{base} {framework[1]}" if framework else base


def world_of(dataset: str) -> str:
    """Return a group of data sets."""
    name = re.sub(r"[\s_-]", "", dataset.lower())
    for mark in ("imagenet", "cifar100", "cifar10", "coco", "voc", "cityscapes", "ade20k", "mnist"):
        if mark in name:
            return mark
    return "other" if name else ""


def metric_of(text: str) -> str:
    """Return a group of metrics."""
    name = text.strip().lower()
    return "map" if name.startswith(("map", "ap", "mask map")) else name


def _bits(said: Mapping[str, str], key: str, technique: str) -> str:
    text = said.get(key, "").lower()
    if not text:
        found = re.search(rf"{key[-1]}(\d+)", said.get("precision", "").lower())
        if found:
            return found[1]
        return _usual_bits(technique)
    return text.replace(" dynamic", "").replace("int", "").replace("uint", "")


def _usual_bits(technique: str) -> str:
    return {"ptq_static": "8", "qat": "8", "ptq_dynamic": "8", "fp16": "16"}.get(technique, "")


def _granularity(said: Mapping[str, str]) -> str:
    if "per_channel" in said:
        return "channel" if said["per_channel"].lower() in ("1", "true", "yes") else "tensor"
    text = " ".join(said.get(key, "") for key in ("granularity", "weights", "scheme")).lower().replace("_", "-")
    return "channel" if "per-channel" in text else "tensor" if "per-tensor" in text or "per-layer" in text else ""


def _trained(said: Mapping[str, str], technique: str) -> str:
    text = said.get("finetuned", said.get("trained", "")).lower()
    if text in ("0", "no", "false", "none") or said.get("epochs") == "0":
        return "0"
    if "joint" in text:
        return "joint"
    if "scratch" in text or "scratch" in said.get("training", ""):
        return "scratch"
    return "few" if "few" in text else "1"


def _first(said: Mapping[str, str], keys: tuple[str, ...]) -> float:
    return next((value for key in keys if key in said and (value := share(said[key]))), 0.0)


def _complement(removed: float | None) -> float:
    return max(1 - removed, 0.01) if removed else 0.0


def _value(text: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def _short(text: str) -> str:
    return re.sub(r"[_\s-]+", "-", text.strip().lower())
