"""Input sizes worth trying."""

from advisor.errors import NotApplicable
from advisor.schema import ExecPath
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.resolution.preview import preview, total_stride
from advisor.techniques.resolution.step import LowerResolution


def propose(case: Case, path: ExecPath) -> tuple[LowerResolution, ...]:
    """Propose multiples of the network's total stride below the present size that the network can read."""
    shapes = case.workload.input_shapes
    if not shapes or len(shapes[0]) != 4:
        return ()
    height, width = shapes[0][2:]
    settings = load_techniques().techniques["resolution"]
    stride, smallest = total_stride(case.workload), int(settings.figures("smallest_map")[0])
    steps: list[LowerResolution] = []
    for share in settings.figures("shares"):
        new = tuple(round(side * share / stride) * stride for side in (height, width))
        if min(new) < max(8, smallest * stride) or new >= (height, width):
            continue
        step = LowerResolution(height=new[0], width=new[1])
        if step not in steps and _readable(step, case):
            steps.append(step)
    return tuple(steps)


def _readable(step: LowerResolution, case: Case) -> bool:
    try:
        preview(step, case.workload)
    except NotApplicable:
        return False
    return True
