"""Settings of dynamic int8 quantization worth trying."""

from advisor.schema import ExecPath, OpKind
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.integers import granularity, signedness
from advisor.techniques.registry import Case


def propose(case: Case, path: ExecPath) -> tuple[DynamicInt8, ...]:
    """Propose it for networks with linear layers: nothing else is quantized."""
    if not any(op.kind is OpKind.LINEAR for op in case.workload.ops):
        return ()
    return (DynamicInt8(weights=granularity(path), signedness=signedness(path)),)
