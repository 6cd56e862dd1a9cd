"""Re-estimating batch-norm statistics after a cut, from images without labels."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray


def reestimate(module: Any, batches: Iterable[NDArray[Any]]) -> int:
    """Replace running means and variances by those of the images, in place; return how many norms were re-estimated.

    The average over all batches counts equally (momentum None); everything but batch norm stays in evaluation mode.
    """
    import torch

    norms = [
        m for m in module.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm) and m.track_running_stats
    ]
    if not norms:
        return 0
    momenta = [norm.momentum for norm in norms]
    module.eval()
    kept = [(norm, {k: v.clone() for k, v in norm.state_dict().items()}) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    seen = 0
    with torch.no_grad():
        for images in batches:
            if len(images) > 1:  # the variance of one image says too little, and is undefined after global pooling
                module(torch.from_numpy(images))
                seen += 1
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()
    if not seen:
        for norm, state in kept:
            norm.load_state_dict(state)
        return 0
    return len(norms)
