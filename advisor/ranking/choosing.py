"""Which candidate is meant by '12', 'static_int8', 'static_int8@tensorrt' or 'prune_channels:ratio=0.5+half@ncnn'."""

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.errors import GoalError, nearest
from advisor.schema import Candidate, Plan, Recommendation, Step


@dataclass(frozen=True)
class Wish:
    """Techniques with settings, and where they run; what is empty may be anything."""

    steps: tuple[tuple[str, dict[str, str]], ...]
    runtime: str = ""
    unit: str = ""

    @property
    def techniques(self) -> tuple[str, ...]:
        """The names of the techniques."""
        return tuple(name for name, _ in self.steps)

    def met_by(self, plan: Plan) -> bool:
        """Whether a plan holds these techniques with these settings and runs there; '@RUNTIME' means without steps."""
        if self.runtime not in ("", plan.runtime) or self.unit not in ("", plan.unit):
            return False
        if not self.steps:
            return not plan.steps
        return all(any(_fits(step, name, settings) for step in plan.steps) for name, settings in self.steps)


def _fits(step: Step, name: str, settings: dict[str, str]) -> bool:
    return step.technique == name and all(_same(getattr(step, key), value) for key, value in settings.items())


def _same(value: object, text: str) -> bool:
    if isinstance(value, bool):
        return text.lower() in (("true", "yes") if value else ("false", "no"))
    if isinstance(value, int | float):
        return text.replace(".", "", 1).isdigit() and float(text) == float(value)
    return str(value) == text


def by_number(recommendation: Recommendation, number: int) -> Candidate:
    """Return the candidate of this number."""
    if number not in recommendation.by_number:
        last = max(recommendation.by_number)
        raise GoalError(f"there is no candidate {number}", remedy=f"Candidates are numbered 0 to {last}.")
    return recommendation.by_number[number]


def read_wish(text: str) -> Wish | int:
    """Read a number or a wish; unknown techniques and settings are refused with the nearest name."""
    if text.strip().lstrip("#").isdecimal():
        return int(text.strip().lstrip("#"))
    what, at, where = text.strip().partition("@")
    runtime, _, unit = where.partition("/")
    steps = tuple(_step(one, text) for one in what.split("+") if one.strip())
    if (not steps and not runtime) or (at and not runtime):
        raise GoalError(f"{text!r} names no plan", remedy="Write a number, TECHNIQUE or TECHNIQUE@RUNTIME/UNIT.")
    return Wish(steps, runtime.strip().lower(), unit.strip().lower())


def _step(text: str, whole: str) -> tuple[str, dict[str, str]]:
    import advisor.techniques  # noqa: F401 - registers the steps

    written, _, given = text.partition(":")
    name = written.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in Step.registry:
        raise GoalError(f"{whole!r} is neither a candidate nor a technique", remedy=nearest(name, Step.registry))
    settings = {}
    for pair in filter(None, given.split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in Step.registry[name].model_fields:
            known = list(Step.registry[name].model_fields)
            raise GoalError(
                f"{name} has no setting {key!r}", remedy=nearest(key, known) or f"It has {', '.join(known)}."
            )
        settings[key] = value
    return name, settings


def matching(recommendation: Recommendation, wish: Wish) -> tuple[Candidate, ...]:
    """Return the candidates that are meant, the plainest and best placed first."""
    found = [c for c in recommendation.candidates if wish.met_by(c.plan)]
    return tuple(sorted(found, key=lambda c: (len(c.plan.steps), bool(c.rejected_by), -(c.utility or 0.0))))


def paths_of(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """Return the runtimes and units that plans run on."""
    return tuple(dict.fromkeys(c.plan.path for c in candidates))
