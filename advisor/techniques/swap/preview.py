"""What a swap leaves: the ready-made network, as in distillation."""

from advisor.techniques.distil.preview import preview

__all__ = ["preview"]
