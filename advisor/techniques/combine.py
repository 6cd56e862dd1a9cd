"""Candidate plans: nothing, the runtime only, single techniques, then combinations in legal order."""

from itertools import islice, product

from advisor.errors import GoalError, nearest
from advisor.facts import plan_precision
from advisor.schema import Device, ExecPath, Goal, Plan, Step

from .knowledge import load_techniques
from .registry import Case, all_techniques

_FULL_INT8 = frozenset({"static_int8", "qat"})


def candidates(case: Case) -> tuple[Plan, ...]:
    """Return all plans worth judging, in a fixed order and without duplicates.

    Plan 0 changes nothing, plan 1 changes the runtime only (on the first path considered). Every path considered gets
    all single proposals; combinations share what is left of the bound, the most advisable first.
    """
    limit = load_techniques().limits.plans
    paths = considered_paths(case.device, case.goal)
    threads = case.goal.threads
    plans = [_unchanged(case.device, case.goal)]
    plans += [Plan(runtime=path.runtime, unit=path.unit, threads=threads) for path in paths]
    proposals = {path.label: _proposals(case, path) for path in paths}
    for path in paths:
        for steps in proposals[path.label].values():
            plans += [Plan(steps=(s,), runtime=path.runtime, unit=path.unit, threads=threads) for s in steps]
    plans = _distinct(plans)
    rows = {path.label: _combinations(proposals[path.label], path, case) for path in paths}
    room = max(0, limit - len(plans)) // len(paths)
    for path in paths:
        plans += list(islice(rows[path.label], room))
    return tuple(_distinct(plans)[:limit])


def considered_paths(device: Device, goal: Goal) -> tuple[ExecPath, ...]:
    """Return the paths of the goal's runtime and unit, or the preferred ones; an unknown runtime is an error.

    Where no preferred path has float arithmetic, the first one that has joins: what an accelerator refuses may still
    run on the processor beside it.
    """
    if goal.runtime is None and goal.unit is None:
        beside = (p for p in device.paths if _computes_floats(p) and p.runtime != "pytorch")
        preferred = device.preferred_paths
        return preferred + tuple(islice(beside, 1)) * (not any(_computes_floats(p) for p in preferred))
    found = [path for path in device.paths if goal.runtime in (None, path.runtime) and goal.unit in (None, path.unit)]
    if not found:
        wanted = "/".join(part for part in (goal.runtime, goal.unit) if part)
        labels = [path.label for path in device.paths]
        hint = nearest(goal.runtime or "", [path.runtime for path in device.paths])
        raise GoalError(
            f"{device.name} has no runtime {wanted}",
            remedy=f"It has {', '.join(labels)}. {hint}".strip(),
        )
    return tuple(sorted(found, key=lambda path: not path.preferred))


def _computes_floats(path: ExecPath) -> bool:
    return not path.restrictions.integer_only and not {"fp32", "fp16", "bf16"}.isdisjoint(path.precisions)


def _unchanged(device: Device, goal: Goal) -> Plan:
    """Return 'change nothing': the framework's own runtime, where the device has it, else marked for its first unit."""
    path = device.path("pytorch", goal.unit) or device.path("pytorch")
    unit = path.unit if path is not None else device.preferred_paths[0].unit
    return Plan(runtime="pytorch", unit=unit, threads=goal.threads)


def _proposals(case: Case, path: ExecPath) -> dict[str, tuple[Step, ...]]:
    if case.facts.get("model.quantized", False):
        return {}  # nothing to compress further without the float weights
    proposed = {t.name: t.propose(case, path) for t in all_techniques()}
    kept = {name: tuple(step for step in steps if _holds(path, step)) for name, steps in proposed.items()}
    return {name: steps for name, steps in kept.items() if steps}


def _holds(path: ExecPath, step: Step) -> bool:
    """Whether files of the path's runtime can hold what a step leaves."""
    return not path.forms or plan_precision(Plan(steps=(step,), runtime=path.runtime, unit=path.unit)) in path.forms


def _combinations(proposals: dict[str, tuple[Step, ...]], path: ExecPath, case: Case) -> list[Plan]:
    """Return pairs and triples; on integer-only paths only those that end in full int8."""
    knowledge = load_techniques()
    plans = []
    for row in knowledge.combinations:
        if any(name not in proposals for name in row):
            continue
        if path.restrictions.integer_only and row[-1] not in _FULL_INT8:
            continue
        limits = knowledge.limits
        leading = limits.leading_in_pairs if len(row) == 2 else limits.leading_in_triples
        members = [proposals[name][: 1 if name == row[-1] else leading] for name in row]
        for steps in product(*members):
            plans.append(Plan(steps=steps, runtime=path.runtime, unit=path.unit, threads=case.goal.threads))
    return plans


def _distinct(plans: list[Plan]) -> list[Plan]:
    return list({plan.model_dump_json(): plan for plan in plans}.values())
