"""What a reader of a run must know beside the figures."""

from advisor.facts import plan_precision
from advisor.runtimes import names

from .data import DataSplit
from .order import Made, Order


def notes_on(order: Order, made: Made, data: DataSplit | None) -> tuple[str, ...]:
    """Return the notes of a run, most important first."""
    notes = list(_target(order))
    precision = plan_precision(order.plan)
    if precision == "fp16" and made.pair.runtime.name == "onnxruntime":
        notes.append("The CPU emulates fp16: casts are inserted, so the file is smaller and usually runs slower here.")
    if order.loaded.random_weights:
        notes.append("The weights are random: accuracy says nothing about a trained model.")
    if data is None or not data.test:
        notes.append("No labelled held-out images: accuracy was not measured.")
    notes += [f"{check.quantity}: previewed {check.previewed}, actual {check.actual}" for check in made.checks
              if not check.agrees]  # fmt: skip
    return tuple(notes) + (data.notes if data else ()) + tuple(order.loaded.notes)


def _target(order: Order) -> tuple[str, ...]:
    if order.on_this_machine:
        return ()
    target = f"{order.device.name} with {order.plan.path}"
    first = (
        f"The target is {target}; what was measured was measured on this machine with onnxruntime/cpu. "
        "Latency and memory on the target are still predictions."
    )
    if order.plan.runtime in names():
        return (first,)
    made = plan_precision(order.plan)
    return (
        first,
        f"Made here: an ONNX file in {made}. Converting it for {order.plan.runtime} remains: see the recipe.",
    )
