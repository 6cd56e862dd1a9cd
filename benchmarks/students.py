"""Write knowledge/students.yaml: small networks with their cost as profiled and their accuracy as published.

    python -m benchmarks.students --accuracy path/to/timm_accuracy.csv

The table has the columns model, img_size, top1, top5, param_count (timm's results on the ImageNet-1k validation set).
Networks are built without weights and profiled at the table's image size, re-parameterised ones with their branches
joined; once more at the smallest size and for grey images, to learn what follows the image. Of several results that
nearest to 224 px counts, then the most accurate; only training on ImageNet-1k alone is taken, so that students differ
by architecture and not by their data.
"""

import argparse
import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from advisor.profiling import peak_activation_bytes, profile_module
from advisor.resources import data_dir
from advisor.schema import ITEM_BITS, WEIGHTED_KINDS, OpKind, Workload
from advisor.techniques.folding import fold_batch_norm
from advisor.techniques.students import STRIDE, TOKENS

_NAMES = """
resnet10t resnet14t resnet18 resnet26 resnet34 resnet50 resnetv2_50 seresnet50 wide_resnet50_2
mobilenetv1_100 mobilenetv2_050 mobilenetv2_100 mobilenetv2_140 mobilenetv3_small_050 mobilenetv3_small_075
mobilenetv3_small_100 mobilenetv3_large_100 mobilenetv4_conv_small mobilenetv4_conv_medium mobilenetv4_conv_large
efficientnet_lite0 efficientnet_b0 efficientnet_b1 efficientnet_b2 tf_efficientnet_lite0 tf_efficientnet_lite1
tf_efficientnet_lite2 tf_efficientnetv2_b0 tf_efficientnetv2_b1 mnasnet_100 mnasnet_small semnasnet_075 fbnetc_100
regnetx_002 regnetx_004 regnetx_008 regnetx_016 regnetx_032 regnety_002 regnety_004 regnety_008 regnety_016 regnety_032
repvgg_a0 repvgg_a1 repvgg_b0 mobileone_s0 mobileone_s1 mobileone_s2 densenet121 ghostnet_100 hardcorenas_a
lcnet_050 lcnet_075 lcnet_100 tinynet_a tinynet_b tinynet_c
convnext_atto convnext_femto convnext_pico convnext_nano convnext_tiny
deit_tiny_patch16_224 deit_small_patch16_224 swin_tiny_patch4_window7_224
mobilevitv2_050 mobilevitv2_075 mobilevitv2_100 fastvit_t8
efficientvit_b0 efficientvit_b1 edgenext_xx_small edgenext_x_small edgenext_small
"""
STUDENTS = tuple(_NAMES.split())
_OTHER_DATA = re.compile(r"in22k|in12k|in21k|jft|laion|_ssl|_swsl|_ns_|dist|openai|datacomp|ft_in1k_384|lvd|ink")
_SIZES = range(160, 289)
_USUAL = 224


@dataclass(frozen=True)
class Published:
    """One row of the accuracy table."""

    tag: str
    size: int
    top1: float


def published(table: Path) -> dict[str, Published]:
    """Return the row nearest to 224 px of every network that was trained on ImageNet-1k alone."""
    best: dict[str, Published] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name, _, tag = row["model"].partition(".")
            size = int(row["img_size"])
            if _OTHER_DATA.search(tag) or size not in _SIZES:
                continue
            found = Published(tag, size, float(row["top1"]))
            if name not in best or _rank(found) > _rank(best[name]):
                best[name] = found
    return best


def _rank(row: Published) -> tuple[int, float]:
    return -abs(row.size - _USUAL), row.top1


def entry(name: str, row: Published) -> dict[str, Any]:
    """Build and profile one network."""
    import timm
    from timm.utils.model import reparameterize_model

    sized = {"img_size": row.size} if "img_size" in _arguments(name) else {}
    module = reparameterize_model(timm.create_model(name, pretrained=False, **sized).eval())
    workload = profile_module(module, (1, 3, row.size, row.size), name=name)
    folded = fold_batch_norm(workload)
    grey = reparameterize_model(timm.create_model(name, pretrained=False, in_chans=1, **sized).eval())
    kinds = _kinds(folded)
    if row.size % STRIDE == 0 and not {OpKind(kind) for kind in kinds} & TOKENS:
        _add_fixed(kinds, _kinds(fold_batch_norm(profile_module(module, (1, 3, STRIDE, STRIDE)))), row.size)
    classifier = next(op for op in reversed(folded.ops) if op.kind in (OpKind.LINEAR, OpKind.CONV_1X1))
    return {
        "name": name,
        "tag": row.tag,
        "family": str(module.pretrained_cfg.get("architecture", name)).split("_")[0],
        "size": row.size,
        "params": workload.params,
        "macs": workload.macs,
        "top1": row.top1,
        "features": folded.tensor[classifier.inputs[0]].shape[-1 if classifier.kind is OpKind.LINEAR else 1],
        "classes": folded.tensor[folded.outputs[0]].shape[-1],
        "stem": _stem(workload, profile_module(grey, (1, 1, row.size, row.size))),
        "peak": _peak(folded),
        "kinds": kinds,
    }


def _arguments(name: str) -> set[str]:
    import timm

    return {"img_size"} if timm.models.model_entrypoint(name).__name__.startswith(("deit", "swin", "vit")) else set()


def _stem(colour: Workload, grey: Workload) -> dict[str, Any]:
    """Return what one colour channel costs in the first layer, from the network for colour and for grey images."""
    first = next(op for op in colour.ops if op.kind in WEIGHTED_KINDS)
    return {
        "kind": first.kind.value,
        "macs": (colour.macs - grey.macs) // 2,
        "params": (colour.params - grey.params) // 2,
    }


def _add_fixed(kinds: dict[str, dict[str, Any]], small: dict[str, dict[str, Any]], size: int) -> None:
    """Note by kind the MACs that do not follow the image, from the same network at the smallest size."""
    area = (size // STRIDE) ** 2
    for kind, share in kinds.items():
        fixed = (area * small[kind]["macs"] - share["macs"]) / (area - 1)
        if fixed != int(fixed) or fixed < 0:
            raise ValueError(f"the MACs of {kind} do not follow the area of the image")
        if fixed:
            share["fixed"] = int(fixed)


def _peak(workload: Workload) -> dict[str, Any]:
    """Return the largest number of live elements, split at the operation that writes most."""
    total = peak_activation_bytes(workload) * 8 // ITEM_BITS["float32"]
    largest = max((op for op in workload.ops if op.kind is not OpKind.VIEW), key=lambda op: _written(workload, op))
    writes = min(_written(workload, largest), total - 1)
    return {"kind": largest.kind.value, "reads": total - writes, "writes": writes}


def _written(workload: Workload, op: Any) -> int:
    return sum(workload.tensor[t].elements for t in op.outputs)


def _kinds(workload: Workload) -> dict[str, dict[str, Any]]:
    """Sum operations, MACs, parameters and written elements by kind; views cost nothing and are left out."""
    found: dict[str, dict[str, Any]] = {}
    functions: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    for op in workload.ops:
        if op.kind in (OpKind.VIEW, OpKind.OTHER):
            continue
        share = found.setdefault(op.kind.value, {"ops": 0, "macs": 0, "params": 0, "elements": 0})
        share["ops"] += 1
        share["macs"] += op.macs
        share["elements"] += _written(workload, op)
        for name in set(op.weights) - seen:
            weight = workload.weight[name]
            share["params"] += weight.elements if weight.counted else 0
        seen.update(op.weights)
        functions.setdefault(op.kind.value, Counter())[str(op.attrs.get("function", ""))] += 1
    for kind, counts in functions.items():
        function = counts.most_common(1)[0][0]
        if function:
            found[kind]["function"] = function
    return found


def main() -> None:
    """Profile all students that the table knows and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=data_dir("knowledge") / "students.yaml")
    options = parser.parse_args()
    rows = published(options.accuracy)
    students = []
    for name in STUDENTS:
        if name not in rows:
            print(f"{name}: not in the table at {_SIZES.start} to {_SIZES.stop - 1} px")
            continue
        students.append(entry(name, rows[name]))
        print(f"{name}: {students[-1]['macs'] / 1e6:.0f} M MACs, {students[-1]['params'] / 1e6:.2f} M parameters")
    head = (
        "# Small networks to distil into. Written by `python -m benchmarks.students`, do not edit by hand.\n"
        "# Accuracy: timm's published results on the ImageNet-1k validation set (results-imagenet.csv), training on\n"
        "# ImageNet-1k alone. Cost: profiled by advisor at batch 1 and `size` px; kinds with batch norms folded.\n"
    )
    text = head + yaml.safe_dump({"students": students}, sort_keys=False, default_flow_style=None, width=140)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
