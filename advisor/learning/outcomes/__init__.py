"""What became of plans: outcomes are kept, counted, shared, and teach the next predictions for their device."""

from .outcome import Outcome
from .places import StoreError, place_of
from .recording import kept
from .teaching import taught

__all__ = ["Outcome", "StoreError", "kept", "place_of", "taught"]
