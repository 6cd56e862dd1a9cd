"""Setting weights of a copy of the module to zero by magnitude; they stay zero while the others are fine-tuned."""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import WEIGHTED_KINDS
from advisor.techniques.recovery import epochs_of, training_of, way
from advisor.techniques.sparsify.preview import takes_zeros
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import Sparsify

STAGE: Stage = "torch"


def needs(step: Sparsify) -> Need:
    """Tell which data the step cannot do without: labels for fine-tuning."""
    if step.pattern == "2:4" and step.iterations > 1:
        raise NotApplicable(
            "sparsify: 2:4 is reached in one round: half of every four weights goes at once",
            remedy="Set iterations to 1, or choose unstructured zeros.",
        )
    return "labels" if step.epochs > 0 else "nothing"


def training(step: Sparsify) -> dict[str, Any]:
    """Return how the training with zeros differs from fine-tuning."""
    return training_of(step.recovery, step.epochs)


def rounds(step: Sparsify) -> tuple[Sparsify, ...]:
    """Return one step a round, each with more zeros than the last: s (1 - (1 - t / n)^3)."""
    shares = zip(way(step.iterations), epochs_of(step.epochs, step.iterations), strict=True)
    return tuple(
        step.model_copy(update={"sparsity": step.sparsity * done, "epochs": epochs, "iterations": 1})
        for done, epochs in shares
    )


def apply(step: Sparsify, subject: Subject) -> Change:
    """Return a copy of the module whose layers hold zeros, as many in each."""
    from .masks import hold, settle, two_of_four, unstructured

    if subject.module is None or subject.workload is None:
        raise NotApplicable("sparsify needs the torch module, not an ONNX file")
    module = copy.deepcopy(subject.module).cpu().eval()
    settle(module)  # the zeros of an earlier round are the smallest weights, so they stay
    parameters = dict(module.named_parameters())
    zeros = total = layers = 0
    for op in subject.workload.ops:
        for name in op.weights if op.kind in WEIGHTED_KINDS else ():
            weight, kernel = subject.workload.weight[name], parameters.pop(name, None)
            if kernel is None or weight.role != "weight" or not takes_zeros(op, weight, step.pattern):
                continue
            mask = two_of_four(kernel) if step.pattern == "2:4" else unstructured(kernel, step.sparsity)
            hold(module, name, mask)
            zeros, total, layers = zeros + int((~mask).sum()), total + mask.numel(), layers + 1
    if not layers:
        raise NotApplicable(f"sparsify finds no layer for {step.pattern} zeros", remedy="Choose another plan.")
    return Change(
        done=f"set {zeros / total:.0%} of the weights in {layers} layers to zero ({step.pattern})",
        module=module,
        details={"layers": layers, "zeros": zeros, "weights": total},
    )


def finish(step: Sparsify, module: object) -> None:
    """Write the zeros into the weights, in place."""
    from .masks import settle

    settle(module)  # type: ignore[arg-type]
