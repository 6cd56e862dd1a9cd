"""Settings of sparsity worth trying."""

from advisor.schema import ExecPath, OpKind
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.sparsify.step import Sparsify

_DENSE = frozenset({OpKind.CONV, OpKind.CONV_1X1, OpKind.CONV_GROUPED, OpKind.LINEAR})


def propose(case: Case, path: ExecPath) -> tuple[Sparsify, ...]:
    """Propose unstructured zeros and two of every four, the pattern with kernels on this path first."""
    if not any(op.kind in _DENSE for op in case.workload.ops):
        return ()
    shares = load_techniques().techniques["sparsify"].figures("sparsities")
    free = [Sparsify(pattern="unstructured", sparsity=share) for share in shares]
    regular = [Sparsify(pattern="2:4", sparsity=0.5)]
    return tuple(regular + free if "2:4" in path.restrictions.sparse_kernels else free + regular)
