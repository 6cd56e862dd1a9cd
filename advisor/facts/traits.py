"""What counts as compact, searched, wide or re-parameterised, by the thresholds of `knowledge/model_traits.yaml`."""

from functools import cache

from pydantic import Field

from advisor.resources import data_dir, read_record
from advisor.schema import CONV_KINDS, OpKind, Record, Workload


class Compact(Record):
    """Below which size a network with depthwise convolutions was made to be small."""

    depthwise_below_params: float = Field(gt=0)


class Overparameterised(Record):
    """From which size, and with which share of MACs in dense convolutions, a classic network is wide."""

    above_params: float = Field(gt=0)
    dense_convolution_share: float = Field(gt=0, lt=1)


class Searched(Record):
    """Parts of names and classes of modules of networks found by architecture search."""

    names: tuple[str, ...]
    classes: tuple[str, ...]


class Reparameterised(Record):
    """Classes of modules with branches to fuse, and the attribute that holds the fused layer."""

    classes: tuple[str, ...]
    fused: str


class Traits(Record):
    """All thresholds and names; the file says where each comes from."""

    compact: Compact
    overparameterised: Overparameterised
    searched: Searched
    reparameterised: Reparameterised


@cache
def load_traits() -> Traits:
    """Read and check the shipped thresholds."""
    return read_record(data_dir("knowledge") / "model_traits.yaml", Traits)


def trait_facts(workload: Workload, family: str) -> dict[str, str | bool | None]:
    """Return the facts that judge what kind of network this is."""
    searched = _is_searched(workload)
    depthwise = any(op.kind is OpKind.CONV_DEPTHWISE for op in workload.ops)
    small = workload.params < load_traits().compact.depthwise_below_params
    return {
        "model.reparam_state": _reparam_state(workload),
        "model.is_compact": searched or family == "depthwise_cnn" or (depthwise and small),
        "model.searched_mobile": searched,
        "model.overparameterised": _is_overparameterised(workload, family),
    }


def _is_searched(workload: Workload) -> bool:
    known = load_traits().searched
    name = workload.name.lower().removeprefix("timm:")
    return any(part in name for part in known.names) or not set(known.classes).isdisjoint(workload.modules.values())


def _is_overparameterised(workload: Workload, family: str) -> bool:
    wide = load_traits().overparameterised
    if family not in ("plain_cnn", "residual_cnn") or workload.params <= wide.above_params:
        return False
    convolved = sum(op.macs for op in workload.ops if op.kind in CONV_KINDS - {OpKind.CONV_DEPTHWISE})
    return convolved > wide.dense_convolution_share * (workload.macs or 1)


def _reparam_state(workload: Workload) -> str | None:
    """Re-parameterised families are recognised by their module classes; an ONNX file does not tell."""
    if workload.format != "torch":
        return None
    known = load_traits().reparameterised
    if not any(part in cls for cls in workload.modules.values() for part in known.classes):
        return "none"
    return "deployed" if any(path.endswith(known.fused) for path in workload.modules) else "training"
