"""Settings of weight-only quantization worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.weight_only.step import WeightOnly


def propose(case: Case, path: ExecPath) -> tuple[WeightOnly, ...]:
    """Propose 8 bits per output channel and 4 bits in groups."""
    settings = load_techniques().techniques["weight_only"]
    widths = zip(settings.figures("bits"), settings.figures("group_size"), strict=True)
    return tuple(WeightOnly(bits=4 if bits == 4 else 8, group_size=int(group)) for bits, group in widths)
