"""A step of a plan as a case: what published results are asked about it."""

from advisor.prediction.query import Query
from advisor.schema import Step

from .answer import Reply, answer
from .case import PRUNED, QUANTIZED, Case
from .levels import branch_of
from .lineage import DENSE, DEPTHWISE, HYBRID, PLAIN, RESIDUAL, SWIN, VIT, Lineage, lineage
from .spread import OWN
from .store import fitted

_TECHNIQUES = {
    "static_int8": "ptq_static", "dynamic_int8": "ptq_dynamic", "qat": "qat", "weight_only": "weight_only",
    "prune_channels": "prune_structured", "prune_transformer": "prune_structured", "prune_blocks": "prune_structured",
    "sparsify": "prune_unstructured", "low_rank": "low_rank", "half": "fp16",
}  # fmt: skip
_KINDS = {
    "plain_cnn": PLAIN, "residual_cnn": RESIDUAL, "dense_cnn": DENSE, "depthwise_cnn": DEPTHWISE, "vit": VIT,
    "hierarchical_vit": SWIN, "hybrid": HYBRID, "mlp": HYBRID,
}  # fmt: skip
# Who quantizes on the way to a runtime, under the name that published results have it.
_KITS = {
    "hailort": "hailo-dfc", "tflite": "tflite", "edgetpu": "tflite", "stm32cubeai": "tflite", "qnn": "ai-hub",
    "tidl": "ti-tidl", "onnxruntime": "onnxruntime", "tensorrt": "tensorrt", "openvino": "neural-compressor",
    "vitis-ai": "vitis-ai", "pytorch": "torchvision", "axelera": "axelera-voyager",
}  # fmt: skip
_VENDORS = frozenset({"hailort", "tidl"})  # the only way to int8 on their devices
_WORLDS = {
    "classification": ("imagenet", "top1"), "detection": ("coco", "map"), "segmentation": ("", "miou"),
    "pose": ("coco", "map"),
}  # fmt: skip


def case_of_step(query: Query, step: Step) -> Case | None:
    """Return a step as a case; None for techniques of which no results are pooled."""
    technique = _TECHNIQUES.get(step.technique)
    if technique is None:
        return None
    if getattr(step, "pattern", "") == "2:4":
        technique = "prune_nm"
    task = str(query.facts.get("model.task") or "classification")
    world, metric = _WORLDS.get(task, ("", ""))
    kept = query.after.macs / query.before.macs if query.before.macs and technique not in QUANTIZED else 0.0
    weights = getattr(step, "weights", "")
    bits = "16" if technique == "fp16" else str(getattr(step, "bits", 8)) if technique in QUANTIZED else ""
    return Case(
        network=_network(query), task=task, world=world, metric=metric, technique=technique,
        toolkit=_KITS.get(query.plan.runtime, "") if technique in QUANTIZED else "", flavour="", bits_w=bits,
        bits_a="" if technique == "weight_only" else bits,
        granularity={"per_channel": "channel", "per_tensor": "tensor"}.get(str(weights), ""),
        power_of_two=bool(getattr(step, "power_of_two_scales", False)),
        trained="0" if technique in PRUNED | {"low_rank"} and getattr(step, "epochs", 0) == 0 else "1",
        kept=min(max(kept, 0.0), 1.0) if technique in ("prune_structured", "low_rank") else 0.0,
        sparsity=float(getattr(step, "sparsity", 0.0)) if technique in ("prune_unstructured", "prune_nm") else 0.0,
        epochs=float(getattr(step, "epochs", 0)),
    )  # fmt: skip


def pooled_reply(query: Query, step: Step) -> Reply | None:
    """Return what the published results say of a step; None for techniques that are not pooled."""
    case = case_of_step(query, step)
    return answer(case) if case is not None else None


def published_itself(query: Query, step: Step) -> bool:
    """Whether this very network was published with this recipe and toolkit.

    Only then the pooled figures say more than the priors, which an expert's reading of the same results has set. It
    holds for compilers of a vendor with results of their own; plans in several runtimes of one device must be
    compared on one yardstick, the priors. A pruning is recovered by the user's own training: its priors stay, too.
    """
    if query.plan.runtime not in _VENDORS:
        return False
    case = case_of_step(query, step)
    branch = fitted().get(branch_of(case) or "") if case is not None else None
    return case is not None and branch is not None and case.technique in QUANTIZED and branch.support(case) == OWN


def _network(query: Query) -> Lineage:
    """Return what the name tells; where it tells no kind, what the graph tells."""
    named = lineage(query.before.name)
    family = str(query.facts.get("model.family") or "")
    kind = _KINDS.get(family, "")
    if family in ("", "depthwise_cnn", "detector") and not kind and query.facts.get("model.has_depthwise"):
        kind = DEPTHWISE
    head = "YOLO with distributions" if query.facts.get("model.head_type") == "dfl" and not named.head else named.head
    if kind and named.kind and kind != named.kind and family != "detector":
        # A file named as a network that its graph is not: the graph is believed.
        return Lineage(body=f"file {named.body}", kind=kind, head=head)
    return Lineage(named.body, named.family, named.kind or kind, head, named.width, named.pruned)
