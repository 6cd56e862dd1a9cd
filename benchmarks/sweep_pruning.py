"""Structured pruning in the sweep: a cut network must answer like the original with the cut parts at zero."""

import copy
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sweep_bench import (
    SAME,
    Bench,
    Outcome,
    answers,
    as_previewed,
    attempted,
    carried_out,
    difference,
    file_answers,
    share,
)

from advisor.runtimes.onnx_export import export_onnx
from advisor.schema import Step
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer

RATIO = 0.3


def pruned(bench: Bench) -> Outcome:
    """Prune channels, or heads and MLPs; the result must be as previewed and answer as if the rest were silent."""
    channels = PruneChannels(ratio=RATIO, round_to=4, epochs=0)
    blocks = PruneTransformer(mlp_ratio=RATIO, head_ratio=RATIO, round_to=4, epochs=0)
    attempts = {"channels": channels, "heads, MLP": blocks}
    return attempted({what: partial(_structural, bench, step) for what, step in attempts.items()})


def _structural(bench: Bench, step: Step) -> Outcome:
    step, change = carried_out(step, bench.subject)
    after = as_previewed(step, bench, change)
    found = answers(change.module, bench.tested)
    if found.shape != bench.wanted.shape or not np.isfinite(found).all():
        raise AssertionError(f"outputs {found.shape}, finite: {np.isfinite(found).all()}")
    silent, why = silenced(bench.module, change.module)
    if silent is not None:
        gap = difference(answers(silent, bench.tested), found)
        if gap > SAME:
            raise AssertionError(f"answers otherwise than the original with the cut parts silent, by {gap:.2g}")
    export_onnx(change.module, bench.shape, bench.subject.folder / "pruned.onnx")
    exported = file_answers(bench.subject.folder / "pruned.onnx", bench.tested)
    if difference(found, exported) > 10 * SAME:
        raise AssertionError(f"the exported file answers otherwise, by {difference(found, exported):.2g}")
    return {**share(after, bench.workload), "equal": not why, "why": why}


def silenced(dense: Any, cut: Any) -> tuple[Any, str]:
    """Return the dense network with everything that `cut` lacks set to zero, found by value; None and why if unknown.

    Random values hardly ever occur twice in a tensor, so the values that were kept tell which rows and columns were.
    Zeros equal absence except where a norm takes its mean over channels.
    """
    small = dict([*cut.named_parameters(), *cut.named_buffers()])
    network = copy.deepcopy(dense)
    names: dict[int, str] = {}
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        kept = small.get(name)
        if kept is None:
            return None, f"{name} is gone"
        if kept.shape == tensor.shape:
            continue
        places = _places(tensor.detach().numpy(), kept.detach().numpy())
        if places is None:
            return None, f"{name} is no part of the original"
        owner = network.get_submodule(name.rpartition(".")[0])
        norm = isinstance(owner, torch.nn.LayerNorm | torch.nn.GroupNorm) or "RMSNorm" in type(owner).__name__
        if norm or (tensor.ndim == 1 and type(owner).__name__.startswith("LayerNorm")):
            return None, f"{type(owner).__name__} takes means over cut channels"
        names[id(owner)] = name
        mask = np.zeros(tensor.shape, dtype=bool)
        mask[np.ix_(*places)] = True
        with torch.no_grad():
            fill = 1.0 if name.endswith("running_var") else 0.0
            tensor.masked_fill_(~torch.from_numpy(mask), fill)
    return network, ""


def _places(whole: NDArray[Any], part: NDArray[Any]) -> tuple[NDArray[Any], ...] | None:
    """Return the indices along each axis that make `part` of `whole`, or None."""
    if whole.ndim != part.ndim or not np.issubdtype(whole.dtype, np.floating):
        return None
    flat = whole.ravel()
    order = np.argsort(flat, kind="stable")
    where = np.searchsorted(flat[order], part.ravel()).clip(max=flat.size - 1)
    found = np.unravel_index(order[where], whole.shape)
    axes = tuple(
        np.arange(size) if size == kept else _first_of(axis.reshape(part.shape), i)
        for i, (axis, size, kept) in enumerate(zip(found, whole.shape, part.shape, strict=True))
    )
    same = tuple(map(len, axes)) == part.shape and np.array_equal(whole[np.ix_(*axes)], part)
    return axes if same else None


def _first_of(places: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return the place most named by each slice along an axis: a value that occurs twice may name another."""
    rows = np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1)
    return np.array([np.bincount(row).argmax() for row in rows])
