"""What a reader of a run must know beside the figures."""

from collections.abc import Iterator
from typing import Any

from advisor.facts import plan_precision
from advisor.measurement.machine import environment
from advisor.runtimes import names
from advisor.runtimes.fallbacks import fallbacks

from .data import DataSplit
from .order import Made, Order


def notes_on(order: Order, made: Made, data: DataSplit | None) -> tuple[str, ...]:
    """Return the notes of a run, most important first."""
    precision, runtime = plan_precision(made.resolved), made.pair.runtime
    notes = list(_target(order, made)) + list(_trainings(made))
    notes += fallbacks(made.placement, runtime, quantized=precision.startswith("int8"))
    if precision == "fp16" and runtime.name == "onnxruntime":
        notes.append("The CPU emulates fp16: casts are inserted, so the file is smaller and usually runs slower here.")
    if made.search is not None and runtime.name not in ("onnxruntime", "pytorch"):
        notes.append(f"Settings were tried in onnxruntime; the file that ships was measured in {runtime.name}.")
    if order.loaded.random_weights:
        notes.append("The weights are random: accuracy says nothing about a trained model.")
    if data is None or not data.labelled:
        alike = ", how alike original and shipped model answer was" if data is not None and data.test else ""
        notes.append(f"No labelled held-out images: accuracy was not measured{alike}.")
    notes += [f"{check.quantity}: previewed {check.previewed}, actual {check.actual}" for check in made.checks
              if not check.agrees]  # fmt: skip
    return tuple(notes) + (data.notes if data else ()) + tuple(order.loaded.notes)


def _target(order: Order, made: Made) -> tuple[str, ...]:
    if order.on_this_machine:
        return ()
    target = f"{order.device.name} with {order.plan.path}"
    first = (
        f"The target is {target}; what was measured was measured on this machine with {made.pair.runtime.name}/cpu. "
        "Latency and memory on the target are still predictions."
    )
    if order.plan.runtime in (made.pair.runtime.name, "pytorch"):
        return (first,)
    precision, there = plan_precision(made.resolved), order.plan.runtime
    how = f"'advisor export RUN_DIR --runtime {there}' does it here" if there in names() else "see the recipe"
    return first, f"Made here: an ONNX file in {precision}. Converting it for {there} remains: {how}."


def _trainings(made: Made) -> Iterator[str]:
    """Tell of trainings that did not go as planned."""
    for step in made.steps:
        for details in (step.details, *step.details.get("rounds", ())):
            if stopped := details.get("stopped"):
                yield _stopped(step.technique, stopped, details)
            if micro := details.get("micro_batch"):
                yield (
                    f"{step.technique}: memory did not suffice for batches of {details['batch']} images; gradients "
                    f"were added up over {micro} at a time, and batch norms saw so many."
                )


def _stopped(technique: str, reason: str, details: dict[str, Any]) -> str:
    kept = f"the weights of epoch {details['best_epoch']}" if details["best_epoch"] else "the weights from before"
    return (
        f"{technique}: the training was stopped, {reason}. Kept are {kept} (validation "
        f"{details['validation_top1_after']:.1f} %). Lower the learning rate, which was {details['learning_rate']:g}."
    )


def resumed_elsewhere(begun: dict[str, str]) -> tuple[str, ...]:
    """Tell what has changed around a run since it was begun; its figures need not be those of a run in one go."""
    now = environment(1)
    names = ("machine", "python", "torch", "onnxruntime", "timm", "torch-pruning", "numpy", "advisor")
    changed = [f"{name} {begun[name]} became {now.get(name, 'nothing')}" for name in names
               if name in begun and begun[name] != now.get(name)]  # fmt: skip
    return (f"Begun and resumed under different conditions: {', '.join(changed)}.",) if changed else ()
