"""Students worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.registry import Case

from .choice import cheaper, own_size
from .step import Distil


def propose(case: Case, path: ExecPath) -> tuple[Distil, ...]:
    """Propose the most accurate student below each share of the original's MACs that this path can execute."""
    return tuple(Distil(student=f"timm:{s.name}", size=own_size(s)) for s in cheaper(case, path))
