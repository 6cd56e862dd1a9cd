"""The integer formats that a path asks for."""

from typing import Literal

from advisor.schema import ExecPath

Signedness = Literal["u8s8", "s8s8", "u8u8"]


def granularity(path: ExecPath) -> Literal["per_channel", "per_tensor"]:
    """Return per-channel scales wherever the path does not refuse them."""
    accepted = path.restrictions.weight_granularity
    return "per_tensor" if accepted and "per_channel" not in accepted else "per_channel"


def signedness(path: ExecPath) -> Signedness:
    """Return the form with the fastest kernels; signed weights and activations where nothing is known."""
    return path.restrictions.signedness[0] if path.restrictions.signedness else "s8s8"
