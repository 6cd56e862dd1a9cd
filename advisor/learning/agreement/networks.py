"""Facts of the networks that the evidence names: `knowledge/evidence/networks.json.gz`.

`python -m advisor.learning.agreement.networks` profiles networks of installed libraries, half a second each. Of a
network that no library builds, what its known layers tell; of the others nothing.
"""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from advisor.errors import KnowledgeError
from advisor.learning.accuracies import read_accuracies
from advisor.learning.workloads import workload_of
from advisor.prediction.pooled.amounts import INDEX, Amounts
from advisor.prediction.pooled.evidence import evidence_path, read_evidence
from advisor.prediction.pooled.networks import by_name
from advisor.prediction.pooled.question import size_of
from advisor.progress import tracked
from advisor.schema import Op, OpKind, Workload
from advisor.writing import write_bytes

from .own import own_measurements

_LIBRARIES = ("timm:", "torchvision:")
_USUAL = "1x3x224x224"
_NOT_THEIRS = frozenset({"model.format", "model.head"})  # of the file that was profiled, not of the network
OPS = "ops"


def networks_file() -> Path:
    """Where the facts lie."""
    return evidence_path().with_name("networks.json.gz")


def main() -> None:
    """Profile the networks and write their facts."""
    networks = tracked(sorted(wanted()), "profiling")
    found = {f"{name}@{size_of(shape)}": entry for name, shape in networks if (entry := _entry(name, shape))}
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    write_bytes(networks_file(), gzip.compress(text.encode(), 9, mtime=0))
    print(f"facts of {len(found)} networks at their input sizes")


def wanted() -> set[tuple[str, str]]:
    """Return networks of libraries and the shapes to profile them at: those measured in several precisions."""
    precisions: dict[tuple[str, str], set[str]] = {}
    for row in read_evidence():
        precisions.setdefault((row.network, row.input), set()).add(row.precision)
    found = {key for key, several in precisions.items() if len(several) > 1 and size_of(key[1])}
    found |= {(row.network, _USUAL) for row in read_accuracies()}
    found |= {(row.network, row.input) for row in own_measurements()}
    return {(name, shape) for name, shape in found if name.startswith(_LIBRARIES)}


def _entry(name: str, shape: str) -> dict[str, Any] | None:
    from advisor.facts import model_facts

    workload = _at_its_size(name, shape)
    if workload is None:
        return None
    facts = {key: value for key, value in model_facts(workload).items() if key not in _NOT_THEIRS}
    order = [(op.kind.value, str(op.attrs.get("function", "")), op.macs) for op in workload.ops]
    plain = {key: sorted(value) if isinstance(value, frozenset) else _short(value) for key, value in facts.items()}
    return {**plain, OPS: order}


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _at_its_size(name: str, shape: str) -> Workload | None:
    """Profile at a shape, or where the network does not take it at the one it was made for."""
    import timm

    found = workload_of(name, shape)
    if found is None and name.startswith("timm:"):
        config = timm.models.get_pretrained_cfg(name.partition(":")[2])
        if config is not None:
            found = workload_of(name, "1x" + "x".join(str(side) for side in config.input_size))
    return found


@cache
def _known() -> Mapping[str, dict[str, Any]]:
    if not networks_file().is_file():
        raise KnowledgeError(
            "the facts of the networks are missing", where=str(networks_file()),
            remedy="Run python -m advisor.learning.agreement.networks",
        )  # fmt: skip
    found: dict[str, dict[str, Any]] = json.loads(gzip.decompress(networks_file().read_bytes()))
    return found


def model_facts_of(network: str, shape: str = "") -> dict[str, Any]:
    """Return what is known of a network at an input shape, by default the usual one."""
    size = size_of(shape) or size_of(_USUAL)
    entry = _known().get(f"{network}@{size}")
    if entry is not None:
        return {key: value for key, value in entry.items() if key != OPS}
    known = by_name(network, size)
    return _of_amounts(known.amounts) if known is not None and known.amounts.layered else {}


@cache
def operations_of(network: str, shape: str = "") -> Workload | None:
    """Return a network's operations in their order, without tensors, to ask what a unit would refuse."""
    entry = _known().get(f"{network}@{size_of(shape) or size_of(_USUAL)}")
    if entry is None:
        return None
    ops = tuple(
        Op(index=i, kind=OpKind(kind), name=kind, macs=macs, attrs={"function": function} if function else {})
        for i, (kind, function, macs) in enumerate(entry[OPS])
    )
    return Workload(name=network, inputs=(), outputs=(), tensors=(), weights=(), ops=ops)


def _of_amounts(amounts: Amounts) -> dict[str, Any]:
    """Return the facts that sums by kind of layer tell."""
    macs = {name: amounts.columns[place] for name, place in INDEX.items()}
    total = amounts.macs or 1.0
    linear, products = macs["linear"], macs["matmul"]
    return {
        "model.macs": amounts.macs,
        "model.params": amounts.parameters,
        "model.weight_bytes": 4 * amounts.parameters,
        "model.dw_mac_share": macs["conv_depthwise"] / total,
        "model.has_depthwise": macs["conv_depthwise"] > 0,
        "model.conv1x1_mac_share": macs["conv_1x1"] / total,
        "model.conv_kxk_mac_share": (macs["conv3x3"] + macs["conv"]) / total,
        "model.linear_mac_share": linear / total,
        "model.matmul_mac_share": (linear + products) / total,
        "model.attn_share": products / total,
        "model.has_attention": products > 0,
    }


if __name__ == "__main__":
    main()
