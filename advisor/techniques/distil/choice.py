"""Ready-made networks that cost less than the original, as they would read its images.

Networks are chosen by their MACs: latency is predicted for plans, not while they are proposed. Plans are then ranked
by predicted latency, so that a network whose MACs are slow on the target does not win by having few of them.
"""

from collections.abc import Callable, Sequence

from advisor.errors import NotApplicable
from advisor.schema import ExecPath, OpKind
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.students import STRIDE, Student, load_students

from .preview import outputs


def cheaper(case: Case, path: ExecPath, wanted: Callable[[Student], bool] = lambda _: True) -> tuple[Student, ...]:
    """Return the most accurate wanted network below each share of the original's MACs that this path executes."""
    settings = load_techniques().techniques["distil"]
    shapes = case.workload.input_shapes
    if case.facts.get("model.task", "classification") != "classification" or len(shapes) != 1 or len(shapes[0]) != 4:
        return ()
    classes = outputs(case.workload)
    if classes is None:
        return ()
    usable = [
        found
        for entry in load_students()
        if entry.name != case.workload.name.removeprefix("timm:")
        and wanted(entry)
        and executable(entry, path)
        and (found := as_used(entry, shapes[0])) is not None
        and parameters(found, classes) < case.workload.params
    ]
    return _best(usable, case.workload.macs / max(case.workload.batch, 1), settings.figures("mac_shares"))


def as_used(entry: Student, image: Sequence[int]) -> Student | None:
    """Return a network as it would read images of this shape, None where it would not.

    From some size on it is used as it was published, on images that are hardly larger than the original's; below, at
    the next multiple of its stride, where its cost follows from the published one.
    """
    settings = load_techniques().techniques["distil"]
    side = min(image[2:])
    if side >= settings.figures("published_from")[0]:
        return entry.reading(image[1]) if entry.size <= side * settings.figures("image_room")[0] else None
    try:
        return entry.reading(image[1], -(-side // STRIDE) * STRIDE)
    except NotApplicable:
        return None


def parameters(entry: Student, classes: int) -> int:
    """Return the parameters with a classifier for so many classes."""
    return entry.params - (entry.classes - classes) * (entry.features + 1)


def own_size(chosen: Student) -> int | None:
    """Return the size that a step has to name: None where the network is used as it was published."""
    published = next(entry for entry in load_students() if entry.name == chosen.name)
    return None if chosen.size == published.size else chosen.size


def executable(student: Student, path: ExecPath) -> bool:
    """Whether the path executes every kind of operation and function of a student that does MACs or activates."""
    refused = set(path.restrictions.unsupported)
    if path.restrictions.integer_only and OpKind.ATTENTION in student.kinds:
        return False
    return not any(kind in refused or share.function in refused for kind, share in student.kinds.items())


def _best(usable: list[Student], macs: float, shares: Sequence[float]) -> tuple[Student, ...]:
    chosen: list[Student] = []
    for share in shares:
        fitting = [s for s in usable if s.macs <= share * macs and s not in chosen]
        if fitting:
            chosen.append(max(fitting, key=lambda s: (s.top1, -s.macs)))
    return tuple(chosen)
