"""Recognising the architecture of weights from their names and shapes; importing this does not need torch."""

from .match import recognise_weights
from .reading import Reading, read_layout
from .result import Candidate, Classifier, Level, Recognition

__all__ = [
    "recognise_weights", "Recognition", "Level", "Classifier", "Candidate", "read_layout", "Reading",
]  # fmt: skip
