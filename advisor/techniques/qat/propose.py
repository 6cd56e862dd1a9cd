"""Settings of quantization-aware training worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.integers import granularity, signedness
from advisor.techniques.qat.step import QAT
from advisor.techniques.registry import Case


def propose(case: Case, path: ExecPath) -> tuple[QAT, ...]:
    """Propose the form that the path executes."""
    restrictions = path.restrictions
    return (
        QAT(
            weights=granularity(path),
            signedness=signedness(path),
            power_of_two_scales=restrictions.power_of_two_scales,
        ),
    )
