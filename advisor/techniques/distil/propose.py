"""Students worth trying."""

from advisor.schema import ExecPath, OpKind
from advisor.techniques.distil.step import Distil
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.students import Student, load_students


def propose(case: Case, path: ExecPath) -> tuple[Distil, ...]:
    """Propose the most accurate student below each share of the teacher's MACs that this path can execute."""
    shapes = case.workload.input_shapes
    settings = load_techniques().techniques["distil"]
    if case.facts.get("model.task", "classification") != "classification" or len(shapes) != 1 or len(shapes[0]) != 4:
        return ()
    side = min(shapes[0][2:])
    if shapes[0][1] != 3 or side < settings.figures("smallest_input")[0]:
        return ()
    macs = case.workload.macs / max(case.workload.batch, 1)
    largest = side * settings.figures("image_room")[0]
    usable = [
        s
        for s in load_students()
        if s.size <= largest
        and s.params < case.workload.params
        and s.name != case.workload.name.removeprefix("timm:")
        and executable(s, path)
    ]
    chosen: list[Student] = []
    for share in settings.figures("mac_shares"):
        fitting = [s for s in usable if s.macs <= share * macs and s not in chosen]
        if fitting:
            chosen.append(max(fitting, key=lambda s: (s.top1, -s.macs)))
    return tuple(Distil(student=f"timm:{s.name}") for s in chosen)


def executable(student: Student, path: ExecPath) -> bool:
    """Whether the path executes every kind of operation and function of a student that does MACs or activates."""
    refused = set(path.restrictions.unsupported)
    if path.restrictions.integer_only and OpKind.ATTENTION in student.kinds:
        return False
    return not any(kind in refused or share.function in refused for kind, share in student.kinds.items())
