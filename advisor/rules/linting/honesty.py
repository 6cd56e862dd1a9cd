"""What rules claim: figures, sources, the survey, and their reasons."""

import re
from collections.abc import Iterator

from ..load import RuleBase
from ..problems import Problem
from .table import found

_NUMBER = r"\d+(?:\.\d+)?"
_UNITS = r"(?:%|(?:x|times|points?|pp|[kMG]?B|[kM]iB|ms|fps|W)\b)"
_FIGURE = re.compile(rf"(?<![\w.:]){_NUMBER}(?:\s?(?:to|-)\s?{_NUMBER})?\s?{_UNITS}")


def claims(base: RuleBase) -> Iterator[Problem]:
    """Figures shown to the user were seen at their source, and the survey is cited only for what it says."""
    for entry in base:
        rule = entry.rule
        if not any(source.seen for source in rule.sources):
            if figure := _FIGURE.search(re.sub(r"\{[^}]*\}", "", rule.reason)):
                yield found("recalled", entry, f"{figure[0]!r} in the reason rests on recalled sources")
            if rule.low is not None or rule.high is not None:
                yield found("recalled", entry, "low and high rest on recalled sources")
        if "survey" in f"{rule.title} {rule.reason} {rule.step}".lower() and "S1" not in rule.origin:
            yield found("survey", entry, f"names the survey, but its origin is {rule.origin}")
        for source in rule.sources:
            if not source.ref.strip():
                yield found("source", entry, "a source without reference")
        if not rule.why_sure or not rule.guards:
            yield found("rationale", entry, "why_sure and guards say what a user wants to know")
