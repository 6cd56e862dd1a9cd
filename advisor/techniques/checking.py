"""Whether a cut network is the one that was planned: it runs, is built as previewed, and lost nothing but what was cut.

Sizes alone do not tell that heads were counted anew, or that the right columns went with the right rows. So every
tensor is compared with the preview's, and the answers with those of the original in which the removed parts are zero.
"""

from collections.abc import Collection
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import OpKind, Workload

from .trace import Analysis

_TOLERANCE = 1e-3  # of the largest answer; the sums are the same but for the order of float32 additions
_OTHER_PLAN = "Choose a plan without this pruning."


def check_built(technique: str, module: Any, input_shape: tuple[int, ...], expected: Workload) -> None:
    """Refuse a network that does not run or whose operations, shapes or counts are not those of the preview."""
    import torch

    from advisor.profiling import profile_module

    try:
        with torch.inference_mode():
            module(torch.zeros(input_shape))
        actual = profile_module(module, input_shape)
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
        reason = (str(error).splitlines() or ["it asserts a width"])[0]
        raise NotApplicable(
            f"{technique}: the cut network does not run: {reason}",
            where="its forward pass relies on fixed widths",
            remedy=_OTHER_PLAN,
        ) from error
    for planned, made in zip(_steps(expected), _steps(actual), strict=False):
        if planned != made:
            raise _differs(technique, f"{made[0]} gives {made[2]} instead of {planned[2]}")
    found, wanted = (actual.macs, actual.params, len(actual.ops)), (expected.macs, expected.params, len(expected.ops))
    if found != wanted:
        said = "MACs {:,}, parameters {:,}, operations {} instead of {:,}, {:,}, {}"
        raise _differs(technique, said.format(*found, *wanted))


def _steps(workload: Workload) -> list[tuple[str, OpKind, list[tuple[int, ...]]]]:
    return [(op.module or op.name, op.kind, [workload.tensor[t].shape for t in op.outputs]) for op in workload.ops]


def check_answers(technique: str, module: Any, silenced: Any, input_shape: tuple[int, ...]) -> None:
    """Refuse a network whose answers are not those of the original with the removed parts at zero."""
    import torch
    from torch.utils._pytree import tree_leaves

    images = torch.randn(input_shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answers = [tree_leaves(network(images)) for network in (module, silenced)]
    for found, wanted in zip(*answers, strict=True):
        if isinstance(wanted, torch.Tensor):
            room = _TOLERANCE * float(wanted.abs().max())
            if not torch.allclose(found, wanted, rtol=0, atol=room, equal_nan=True):
                raise _differs(technique, "it answers otherwise than the original with the removed parts at zero")


def can_be_silenced(workload: Workload, analysis: Analysis, groups: Collection[int]) -> bool:
    """Whether zeros equal absence: not where a mean is taken over what was cut, as a layer norm does."""
    for variable, uses in analysis.uses.items():
        if analysis.channels.root(variable) not in groups:
            continue
        for op in (workload.ops[i] for i in uses):
            if op.kind is OpKind.NORM_LAYER:
                return False
            if op.kind is OpKind.REDUCE and any(t not in analysis.layouts for t in op.outputs):
                return False
    return True


def _differs(technique: str, how: str) -> NotApplicable:
    return NotApplicable(
        f"{technique}: the cut network is not the planned one",
        where=how,
        remedy="It is built in a way that this version does not follow. " + _OTHER_PLAN,
    )
