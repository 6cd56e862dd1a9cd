"""Findings already made: plans of one case give a rule the same values again and again."""

from collections.abc import Callable, Hashable

from advisor.schema import Finding

from .expressions import Facts

MAX_FINDINGS = 20_000


class Memory:
    """Findings by rule and by the values of the facts that the rule reads. Facts that cannot be keys pass by."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._findings: dict[Hashable, Finding] = {}

    def finding(self, rule: Hashable, names: tuple[str, ...], facts: Facts, make: Callable[[], Finding]) -> Finding:
        """Return the finding that was made of these values, or make it."""
        key = (rule, tuple(map(facts.get, names)))
        try:
            found = self._findings.get(key)
        except TypeError:  # a list among the values
            return make()
        if found is None:
            found = make()
            if len(self._findings) >= MAX_FINDINGS:
                self._findings.clear()
            self._findings[key] = found
        return found
