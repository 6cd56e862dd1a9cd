"""Gradients of the loss over a few training batches, by which Taylor criteria rank; imports torch lazily."""

from typing import Any

from advisor.errors import NotApplicable

from .subject import Subject

TAYLOR_BATCHES = 8  # labelled batches whose gradients rank channels


def add_gradients(module: Any, subject: Subject) -> None:
    """Leave the summed gradients of the cross-entropy in the parameters of `module`, in place."""
    import torch

    if subject.labelled is None:
        raise NotApplicable("pruning by taylor needs labelled images", remedy="Give data, or another criterion.")
    module.zero_grad()
    with torch.enable_grad():
        for _, (images, labels) in zip(range(TAYLOR_BATCHES), subject.labelled(), strict=False):
            loss = torch.nn.functional.cross_entropy(module(torch.from_numpy(images)), torch.from_numpy(labels))
            loss.backward()  # type: ignore[no-untyped-call]
