"""A coarse workload for a network that has not been built: one chain of operations with the right sums by kind.

Exact in MACs, parameters, number of operations and activation elements by kind, and in the largest number of live
elements; every operation of a kind is taken to be of average size. What a later step does to it is scaled by kind.
"""

from collections.abc import Callable

from advisor.errors import NotApplicable
from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Storage, Tensor, Weight, Workload

from .editing import revise
from .students import TOKENS, Student

_MARK = "summary:"


def is_summary(workload: Workload) -> bool:
    """Whether the layers of this workload are summarised."""
    return workload.source.startswith(_MARK)


def refuse_summary(workload: Workload, technique: str) -> None:
    """Raise where a step needs the layers one by one."""
    if is_summary(workload):
        raise NotApplicable(f"{technique} needs the layers of {workload.name}, which are only known in sum")


def summarise(student: Student, teacher: Workload, classes: int) -> Workload:
    """Return the student as a workload with `classes` outputs at the teacher's batch."""
    batch = teacher.batch
    dtype = teacher.tensor[teacher.inputs[0]].dtype if teacher.inputs else "float32"
    shorter = (student.classes - classes) * student.features  # of the classifier's matrix; its bias loses the rest
    tensors = [Tensor(id=0, shape=(batch, student.channels, student.size, student.size), dtype=dtype)]
    weights: list[Weight] = []
    ops: list[Op] = []
    plan = _order(student)
    for i, (kind, macs, params, elements) in enumerate(plan):
        last = i == len(plan) - 1
        shape = (batch, classes) if last else (batch, elements)
        names: tuple[str, ...] = ()
        if last:
            macs, params = macs - shorter, params - shorter - (student.classes - classes)  # noqa: PLW2901
        if params:
            role = "weight" if kind in WEIGHTED_KINDS else "norm"
            names = (f"{kind}.{i}.weight",)
            weights.append(Weight(name=names[0], shape=(params,), role=role, storage=Storage(dtype=dtype)))
        tensors.append(Tensor(id=i + 1, shape=shape, dtype=dtype))
        ops.append(
            Op(
                index=i,
                kind=kind,
                name=f"all {kind}",
                inputs=(i,),
                outputs=(i + 1,),
                weights=names,
                macs=macs * batch,
                attrs={"summary": True, "function": student.kinds[kind].function},
            )
        )
    rest = student.params - shorter - (student.classes - classes) - sum(w.elements for w in weights)
    if rest > 0:  # scales and shifts of the folded norms
        weights.append(Weight(name="norms", shape=(rest,), role="norm", storage=Storage(dtype=dtype)))
    return Workload(
        name=student.name,
        source=f"{_MARK}timm:{student.name}",
        format=teacher.format,
        inputs=(0,),
        outputs=(len(plan),),
        tensors=tuple(tensors),
        weights=tuple(weights),
        ops=tuple(ops),
        notes=(f"the layers of {student.name} are summarised by kind",),
    )


def _order(student: Student) -> list[tuple[OpKind, int, int, int]]:
    """Spread the operations of every kind evenly; kind, MACs, parameters and elements of each.

    The first two operations hold the peak: the first writes what is alive while the second writes.
    """
    peak = student.peak
    budget = {kind: share.elements for kind, share in student.kinds.items()}
    places: list[tuple[float, int, OpKind, int]] = []
    for rank, (kind, share) in enumerate(sorted(student.kinds.items(), key=lambda item: item[0] not in WEIGHTED_KINDS)):
        places += [((i + 0.5) / share.ops, rank, kind, i) for i in range(share.ops)]
    places.sort(key=lambda place: place[:2])
    classifier = OpKind.LINEAR if OpKind.LINEAR in student.kinds else OpKind.CONV_1X1
    head = [p for p in places if p[2] is classifier][-1]  # the classifier comes last
    places.remove(head)
    places.append(head)
    second = next((i for i, p in enumerate(places[1:-1], start=1) if p[2] is peak.kind), 1)
    places.insert(1, places.pop(second))
    fixed = {0: peak.reads, 1: peak.writes}
    for place, elements in fixed.items():
        kind = places[place][2]
        budget[kind] = max(0, budget[kind] - elements)
    left = {kind: sum(p[2] is kind for p in places[2:]) for kind in student.kinds}
    plan = []
    for i, (_, _, kind, number) in enumerate(places):
        share = student.kinds[kind]
        elements = fixed[i] if i in fixed else max(1, budget[kind] // left[kind])
        plan.append((kind, _part(share.macs, share.ops, number), _part(share.params, share.ops, number), elements))
    return plan


def _part(total: int, count: int, number: int) -> int:
    """Return the share of one of `count` equal parts; the shares add up to the total."""
    return total * (number + 1) // count - total * number // count


def narrowed_summary(workload: Workload, ratio: float) -> Workload:
    """Scale a summary as if every layer kept 1 - ratio of its channels.

    Dense layers lose both ways, depthwise ones, norms and the classifier one way.
    """
    keep = 1 - ratio

    def factor(kind: OpKind) -> float:
        return keep if kind in (OpKind.CONV_DEPTHWISE, OpKind.LINEAR) or kind not in WEIGHTED_KINDS else keep * keep

    return _scaled(workload, factor, factor, keep)


def resized_summary(workload: Workload, area: float) -> Workload:
    """Scale a summary to `area` times the pixels; linear layers follow only where there is attention."""
    tokens = any(op.kind in TOKENS for op in workload.ops)

    def macs(kind: OpKind) -> float:
        if kind in TOKENS:
            return area * area
        return 1.0 if kind is OpKind.LINEAR and not tokens else area

    return _scaled(workload, macs, lambda _: 1.0, area)


def _scaled(
    workload: Workload, macs: Callable[[OpKind], float], params: Callable[[OpKind], float], elements: float
) -> Workload:
    readers = {name: op.kind for op in workload.ops for name in op.weights}
    fixed = {*workload.outputs, *workload.inputs}
    return revise(
        workload,
        ops=tuple(op.model_copy(update={"macs": round(op.macs * macs(op.kind))}) for op in workload.ops),
        tensors=tuple(
            t if t.id in fixed else t.model_copy(update={"shape": (t.shape[0], max(1, round(t.shape[1] * elements)))})
            for t in workload.tensors
        ),
        weights=tuple(
            w.model_copy(update={"shape": (round(w.elements * params(readers.get(w.name, OpKind.NORM_BATCH))),)})
            for w in workload.weights
        ),
    )
