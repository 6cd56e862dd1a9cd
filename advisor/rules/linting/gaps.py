"""Techniques that no rule judges by the device, on a class of devices."""

from collections.abc import Iterator

from ..coverage import coverage
from ..load import RuleBase
from ..problems import Problem
from .table import CODES


def gaps(base: RuleBase) -> Iterator[Problem]:
    """Report every technique and class of devices for which no rule that looks at the device decides or advises."""
    if "plan.techniques" not in base.vocabulary:
        return
    for technique, kind in coverage(base).gaps:
        message = f"no rule that looks at the device judges {technique} on the class {kind}"
        yield Problem(CODES["gap"].severity, "gap", "", message, others=(technique, kind))
