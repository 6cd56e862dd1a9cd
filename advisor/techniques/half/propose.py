"""Settings of half precision worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.half.step import Half
from advisor.techniques.registry import Case


def propose(case: Case, path: ExecPath) -> tuple[Half, ...]:
    """Propose fp16, and bf16 where the path computes in it."""
    steps = [Half(dtype="fp16")]
    if "bf16" in path.precisions:
        steps.append(Half(dtype="bf16"))
    return tuple(steps)
