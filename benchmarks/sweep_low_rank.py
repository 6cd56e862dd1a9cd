"""Low rank in the sweep: chains of thinner layers must answer like the kernels that they amount to."""

import copy
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch
from sweep_bench import SAME, Bench, Outcome, answers, as_previewed, attempted, carried_out, difference, share, sqnr

from advisor.techniques.low_rank.apply import split
from advisor.techniques.low_rank.layers import replace as put_in_place
from advisor.techniques.low_rank.ranks import eligible, path_of
from advisor.techniques.low_rank.step import LowRank


def low_rank(bench: Bench) -> Outcome:
    """Factorize by each method that finds layers; the outputs must be those of the kernels multiplied out again."""
    steps = {m: LowRank(method=m, rank_ratio=0.5, round_to=4, epochs=0) for m in ("svd", "spatial_svd", "tucker2")}
    return attempted({method: partial(_factorized, bench, step) for method, step in steps.items()})


def _factorized(bench: Bench, step: LowRank) -> Outcome:
    resolved, change = carried_out(step, bench.subject)
    after = as_previewed(resolved, bench, change)
    found = answers(change.module, bench.tested)
    again, lost = multiplied_out(bench.module, change.module, change.details["layers"])
    gap = difference(answers(again, bench.tested), found)
    if gap > SAME:
        raise AssertionError(f"outputs differ from those of the kernels multiplied out, by {gap:.2g}")
    gap = difference(bench.wanted, answers(of_full_rank(bench, resolved), bench.tested))
    if gap > 10 * SAME:  # products of float32 factors are rounded, and networks magnify it
        raise AssertionError(f"outputs differ from the original's at full rank, by {gap:.2g}")
    for path, layer in change.details["layers"].items():
        if abs(lost[path] - layer["energy_lost"]) > 1e-3:
            raise AssertionError(f"{path} lost {lost[path]:.4f} of its energy, not {layer['energy_lost']:.4f}")
    return {
        **share(after, bench.workload),
        "layers": len(lost),
        "energy_lost": round(float(np.mean(list(lost.values()))), 4),
        "sqnr_db": sqnr(bench.wanted, found),
    }


def of_full_rank(bench: Bench, step: LowRank) -> Any:
    """Return the network with the same layers split into chains of full rank, which lose nothing and save nothing."""
    module = copy.deepcopy(bench.module)
    for _, weight, parts in eligible(bench.workload, step):
        path = path_of(weight)
        layer = module.get_submodule(path)
        sides = [weight.shape[1], weight.shape[0]]
        if len(parts) == 2:
            sides = [min(sides[0] * prod(parts[0].taps), sides[1] * prod(parts[1].taps))]
        widths = [parts[0].channels_in, *sides, parts[-1].channels_out]
        whole = tuple(
            replace(part, channels_in=before, channels_out=after)
            for part, before, after in zip(parts, widths[:-1], widths[1:], strict=True)
        )
        put_in_place(module, path, whole, split(layer.weight, whole), layer.bias)
    return module


def multiplied_out(dense: Any, thin: Any, layers: dict[str, Any]) -> tuple[Any, dict[str, float]]:
    """Return the dense network with the kernels that the thin one amounts to, and what each lost of its energy.

    The kernel of a chain of layers is read off its answers to unit impulses, without knowing how it was split.
    """
    network, lost = copy.deepcopy(dense), {}
    for path in layers:
        layer, chain = network.get_submodule(path), copy.deepcopy(thin.get_submodule(path))
        kernel = _impulse_response(chain, layer)
        gone = (layer.weight - kernel).square().sum() / layer.weight.square().sum()
        lost[path] = float(gone)
        with torch.no_grad():
            layer.weight.copy_(kernel)
    return network, lost


def _impulse_response(chain: Any, layer: Any) -> torch.Tensor:
    with torch.no_grad():
        if isinstance(layer, torch.nn.Linear):
            eye = torch.eye(layer.in_features)
            return (chain(eye) - chain(torch.zeros(1, layer.in_features))).T
        for part in chain:  # unstrided and undilated: the field of one output is the kernel itself
            part.stride, part.padding, part.dilation = (1, 1), (0, 0), (1, 1)
        inputs, taps = layer.in_channels, tuple(layer.kernel_size)
        impulses = torch.eye(inputs * taps[0] * taps[1]).reshape(-1, inputs, *taps)
        parts = [chain(block)[:, :, 0, 0] for block in (*impulses.split(512), torch.zeros(1, inputs, *taps))]
        found = torch.cat(parts[:-1]) - parts[-1]
        return found.T.reshape(layer.out_channels, inputs, *taps)
