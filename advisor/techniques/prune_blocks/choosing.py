"""Which blocks go: one after the other that whose absence changes the outputs least."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from advisor.techniques.prune_blocks.finding import Block
from advisor.techniques.subject import Subject

IMAGES = 32  # calibration images, or images of noise, that outputs are compared on


def least_needed(module: Any, blocks: tuple[Block, ...], count: int, subject: Subject) -> tuple[str, ...]:
    """Return the paths of `count` blocks in the order of the network; blocks that the network asks for stay.

    Greedy: every next block is judged in the network without those before it.
    """
    from .skip import put_back, skip

    module = copy.deepcopy(module).cpu().eval()
    batches = list(images(subject))
    original = outputs(module, batches)
    gone: list[str] = []
    paths = [block.path for block in blocks]
    while len(gone) < count:
        changes: dict[str, float] = {}
        for path in paths:
            if path in gone:
                continue
            block = skip(module, path)
            after = _outputs_if_any(module, batches)
            if after is not None:
                changes[path] = change(original, after)
            put_back(module, path, block)
        if not changes:
            break
        best = min(changes, key=changes.__getitem__)
        skip(module, best)
        gone.append(best)
    return tuple(path for path in paths if path in gone)


def drawn(module: Any, blocks: tuple[Block, ...], count: int, subject: Subject) -> tuple[str, ...]:
    """Return the paths of `count` blocks drawn at random, without those that the network asks for."""
    from .skip import put_back, skip

    module = copy.deepcopy(module).cpu().eval()
    batches = list(images(subject))[:1]
    gone: list[str] = []
    for i in np.random.default_rng(subject.seed).permutation(len(blocks)):
        block = skip(module, blocks[i].path)
        if len(gone) < count and _outputs_if_any(module, batches) is not None:
            gone.append(blocks[i].path)
        else:
            put_back(module, blocks[i].path, block)
    return tuple(block.path for block in blocks if block.path in gone)


def _outputs_if_any(module: Any, batches: list[Any]) -> list[Any] | None:
    """Return the outputs, None where the network does not run: it reads more of a block than its result."""
    try:
        return outputs(module, batches)
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError):
        return None


def images(subject: Subject) -> Iterator[Any]:
    """Yield calibration batches, or normal noise where there are none: float32 arrays of the input's shape."""
    if subject.calibration is not None:
        yield from subject.calibration(IMAGES)
        return
    generator = np.random.default_rng(subject.seed)
    for _ in range(max(1, IMAGES // subject.input_shape[0])):
        yield generator.standard_normal(subject.input_shape, dtype=np.float32)


def outputs(module: Any, batches: list[Any]) -> list[Any]:
    """Return all floating outputs of a network, flat, one array a batch."""
    import torch
    from torch.utils._pytree import tree_leaves

    found = []
    with torch.inference_mode():
        for batch in batches:
            leaves = [t for t in tree_leaves(module(torch.from_numpy(batch))) if isinstance(t, torch.Tensor)]
            found.append(torch.cat([t.flatten() for t in leaves if t.is_floating_point()]))
    return found


def change(before: list[Any], after: list[Any]) -> float:
    """Return the squared distance of two lists of outputs as a share of the squared size of the first."""
    distance = sum(float((a - b).square().sum()) for a, b in zip(after, before, strict=True))
    return distance / (sum(float(b.square().sum()) for b in before) or 1.0)
