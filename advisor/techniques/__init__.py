"""Compression techniques: what each proposes and what it would make of a network.

Importing this package registers every technique named in knowledge/techniques.yaml from the folder of its name. Nothing
here imports torch; only the `apply.py` of a technique does, and that is not imported here.
"""

from importlib import import_module
from pathlib import Path

from advisor.schema import Plan, Step, Workload

from .knowledge import load_techniques, plan_effort, plan_needs
from .registry import Technique, get, register

__all__ = ["load_techniques", "plan_effort", "plan_needs", "preview_plan", "structural_preview"]

_VALUES_ONLY = frozenset({"half", "static_int8", "dynamic_int8", "weight_only", "qat"})


def _register_all() -> None:
    """Register the techniques in the order of the knowledge file."""
    for name, entry in load_techniques().techniques.items():
        folder = f"{__name__}.{name}"
        import_module(f"{folder}.step")
        register(
            Technique(
                name=name,
                title=entry.title,
                step=Step.registry[name],
                propose=import_module(f"{folder}.propose").propose,
                preview=import_module(f"{folder}.preview").preview,
                applies=(Path(__file__).parent / name / "apply.py").is_file(),
            )
        )


def preview_plan(plan: Plan, workload: Workload) -> Workload:
    """Return what the plan makes of the workload, step by step; quantized previews have their batch norms folded."""
    for step in plan.steps:
        workload = get(step.technique).preview(step, workload)
    return workload


def structural_preview(plan: Plan, workload: Workload) -> Workload:
    """Return the network after the steps that change its structure, before any change of precision or folding.

    A module profiled after these steps has exactly these MACs and parameters.
    """
    for step in plan.steps:
        if step.technique not in _VALUES_ONLY:
            workload = get(step.technique).preview(step, workload)
    return workload


_register_all()
