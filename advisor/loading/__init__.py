"""Opening models of every supported kind without running code that their files carry."""

from .load import load
from .model import LoadedModel
from .preprocessing import Preprocessing

__all__ = ["LoadedModel", "Preprocessing", "load"]
