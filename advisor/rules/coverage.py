"""How many rules can speak of each technique on each class of devices, and where none does."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .load import Compiled, RuleBase
from .partial import foresee
from .situations import is_open, of_paths, of_plans, paths_by, paths_by_class, plans_by, plans_by_technique

JUDGING = ("veto", "require", "prefer", "avoid", "estimate")


@dataclass(frozen=True)
class Coverage:
    """For every technique and class of devices the rules that can hold there, by kind.

    `own` are those that judge a plan for this technique: they do not hold for the plan that changes nothing. Those of
    them that look at the device or the path are `placed`.
    """

    techniques: tuple[str, ...]
    classes: tuple[str, ...]
    rules: Mapping[tuple[str, str], Mapping[str, int]]
    own: Mapping[tuple[str, str], int]
    placed: Mapping[tuple[str, str], int]

    @property
    def gaps(self) -> tuple[tuple[str, str], ...]:
        """Cells in which no rule that looks at the device judges the technique."""
        return tuple(cell for cell, count in self.placed.items() if not count)


def coverage(base: RuleBase) -> Coverage:
    """Ask every rule whether it can hold for a plan of one technique on some path of each class."""
    techniques = tuple(name for name in plans_by_technique() if name)
    classes = tuple(sorted(paths_by_class()))
    rules = {(technique, kind): Counter[str]() for technique in techniques for kind in classes}
    own, placed = dict.fromkeys(rules, 0), dict.fromkeys(rules, 0)
    for entry in base:
        if entry.rule.deprecated:
            continue
        cells = _cells(entry)
        judges = entry.rule.kind in JUDGING and not any(technique == "" for technique, _ in cells)
        for cell in cells & rules.keys():
            rules[cell][entry.rule.kind] += 1
            own[cell] += judges
            placed[cell] += judges and bool(of_paths(entry.when.names))
    return Coverage(techniques, classes, rules, own, placed)


def _cells(entry: Compiled) -> set[tuple[str, str]]:
    """Return the techniques and classes for which some plan and some path leave the condition possible."""
    may, names = foresee(entry.when, is_open), entry.when.names
    open_together = [
        (plans, paths)
        for cut_plan, plans in plans_by(of_plans(names)).items()
        if may(dict(cut_plan)) is not False
        for cut_path, paths in paths_by(of_paths(names)).items()
        if may(dict(cut_plan + cut_path)) is not False
    ]
    return {
        (technique, kind)
        for technique, of_technique in plans_by_technique().items()
        for kind, of_class in paths_by_class().items()
        if any(plans & of_technique and paths & of_class for plans, paths in open_together)
    }
