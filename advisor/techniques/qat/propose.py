"""Settings of quantization-aware training worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.integers import granularity, signedness
from advisor.techniques.qat.step import QAT
from advisor.techniques.registry import Case
from advisor.techniques.static_int8.propose import saturates


def propose(case: Case, path: ExecPath) -> tuple[QAT, ...]:
    """Propose the form that the path executes, with 7-bit weights where the CPU's 8-bit sums saturate."""
    restrictions = path.restrictions
    form = signedness(path)
    return (
        QAT(
            weights=granularity(path),
            signedness=form,
            reduce_range=saturates(case.device, path, form),
            power_of_two_scales=restrictions.power_of_two_scales,
        ),
    )
