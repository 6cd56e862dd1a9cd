"""Feasibility, Pareto front and score; why, why not and what if. Nothing that was proposed is hidden."""

from .evaluate import Evaluator, baseline_plan, predict_here, preview_of
from .explain import fired, why
from .limits import check_all
from .nearest import nearest
from .rank import decide
from .renumber import renumber
from .unknowns import most_wanted
from .what_if import ask_again, compare, kept
from .why_not import why_not

__all__ = [
    "Evaluator", "ask_again", "baseline_plan", "check_all", "compare", "decide", "fired", "kept",
    "most_wanted", "nearest", "predict_here", "preview_of", "renumber", "why", "why_not",
]  # fmt: skip
