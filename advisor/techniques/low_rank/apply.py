"""Replacing layers of a copy of the module by thinner ones of lower rank, which stay ordinary layers.

Which layers and which ranks comes from `ranks.eligible`, so that preview and result agree; ranks that depend on weights
or data are chosen by `resolve`. Recovery is not done here.
"""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.low_rank.ranks import Factor, eligible, path_of
from advisor.techniques.rehearsal import rehearse
from advisor.techniques.subject import Change, Need, Stage, Subject

from .factorize import spatial_svd, svd, tucker2
from .layers import OTHER_PLAN, is_plain, plain_layer, replace
from .step import LowRank, Ranks

STAGE: Stage = "torch"
_STRONGER = "Ask for lower ranks or another method."


def needs(step: LowRank) -> Need:
    """Tell which data the step cannot do without: labels for fine-tuning, images where ranks or layers are fitted."""
    if step.epochs > 0:
        return "labels"
    return "calibration" if step.aware or (step.rule == "sensitivity" and step.ranks is None) else "nothing"


def resolve(step: LowRank, subject: Subject) -> LowRank:
    """Return the step with the ranks that its rule comes to on these weights; one that says them is left as it is.

    Layers with arithmetic of their own, which no preview can tell, are kept.
    """
    if subject.module is None or subject.workload is None:
        raise NotApplicable("low_rank needs the torch module, not an ONNX file")
    if step.ranks is not None:
        return step
    if step.rule == "budget" and step.method != "auto":
        odd = (path for path in _paths(step, subject) if not is_plain(subject.module, path))
        return step.model_copy(update={"keep": (*step.keep, *odd)})
    ranks = _chosen(step, subject)
    if not ranks:
        raise NotApplicable(f"{step.label} finds no layer that gains", remedy=_STRONGER)
    return step.model_copy(update={"ranks": tuple(ranks.items())})


def _paths(step: LowRank, subject: Subject) -> list[str]:
    return [path_of(weight) for _, weight, _ in eligible(subject.workload, step)]  # type: ignore[arg-type]


def _chosen(step: LowRank, subject: Subject) -> dict[str, Ranks]:
    from .choose import by_weights
    from .sensitivity import allot, scan, target

    if step.rule != "sensitivity":
        return by_weights(step, subject.module, subject.workload)  # type: ignore[arg-type]  # resolve has checked it
    return allot(scan(step, subject).trials, target(step, subject.workload))  # type: ignore[arg-type]


def apply(step: LowRank, subject: Subject) -> Change:
    """Factorize every layer that the preview names; the details hold ranks and what of each kernel was lost."""
    if subject.module is None or subject.workload is None:
        raise NotApplicable("low_rank needs the torch module, not an ONNX file")
    chosen = [(path_of(weight), parts) for _, weight, parts in eligible(subject.workload, step)]
    if not chosen:
        raise NotApplicable(
            f"low_rank by {step.method} finds no layer that gains at {step.rank_ratio:.0%} of the break-even rank",
            remedy=_STRONGER,
        )
    module = copy.deepcopy(subject.module).cpu().eval()
    fitted = _fitted(step, subject, module, dict(chosen)) if step.aware else {}
    details = {path: _split(module, path, parts, fitted.get(path)) for path, parts in chosen}
    rehearse(
        module, subject.input_shape, "low_rank: the factorized network does not run",
        where="its forward pass reads a layer's own attributes", remedy=OTHER_PLAN,
    )  # fmt: skip
    lost = sum(layer["energy_lost"] for layer in details.values()) / len(details)
    return Change(
        done=f"factorized {len(details)} layers by {step.label}, {lost:.1%} of a kernel's energy lost on average",
        module=module,
        details={"layers": details},
    )


def _fitted(step: LowRank, subject: Subject, module: Any, chosen: dict[str, tuple[Factor, ...]]) -> dict[str, Any]:
    from .aware import fit

    if subject.calibration is None:
        raise NotApplicable("data-aware low_rank needs calibration images", remedy="Give data, or leave `aware` out.")
    starts = {path: split(plain_layer(module, path).weight, parts) for path, parts in chosen.items()}
    return fit(module, chosen, starts, subject.calibration(step.calibration_images))


def _split(module: Any, path: str, parts: tuple[Factor, ...], fitted: Any) -> dict[str, Any]:
    """Put the thinner layers in place of the layer at `path`; return their ranks and the share of energy lost."""
    import torch

    layer = plain_layer(module, path)
    kernel = layer.weight.detach().to(torch.float32)
    kernels, bias = (split(kernel, parts), layer.bias) if fitted is None else fitted
    replace(module, path, parts, kernels, bias)
    error = (kernel - _joined(kernels, kernel.shape)).square().sum() / kernel.square().sum().clamp_min(1e-12)
    return {"ranks": [part.channels_out for part in parts[:-1]], "energy_lost": round(float(error), 5)}


def split(kernel: Any, parts: tuple[Factor, ...]) -> tuple[Any, ...]:
    """Return the kernels of the thinner layers, best by the kernel alone."""
    kernel, ranks = kernel.detach().float(), [part.channels_out for part in parts[:-1]]
    if len(parts) == 3:
        return tucker2(kernel, *ranks)
    return spatial_svd(kernel, *ranks) if parts[0].taps != parts[1].taps else svd(kernel, *ranks)


def _joined(kernels: tuple[Any, ...], shape: Any) -> Any:
    """Multiply the kernels out again."""
    import torch

    flat = [kernel.flatten(2) if kernel.dim() == 4 else kernel[..., None] for kernel in kernels]
    if len(kernels) == 3:
        return torch.einsum("ria,srt,osb->oit", *flat).reshape(shape)
    return torch.einsum("ria,orb->oiab", *flat).reshape(shape)
