"""Why no such plan was made: what its techniques need, by `knowledge/proposals.yaml`, and where they could run."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from advisor.devices import load_device
from advisor.errors import DeviceError
from advisor.resources import data_dir, read_record
from advisor.rules.parse import parse
from advisor.rules.traces import shown
from advisor.rules.vocabulary import load_vocabulary
from advisor.schema import Recommendation
from advisor.schema.base import Record
from advisor.techniques import load_techniques

from .choosing import Wish, paths_of
from .naming import named


class Need(Record):
    """One thing that must be there, in words and, where the facts tell, as a condition."""

    needs: str
    when: str = ""


class Proposals(Record):
    """The whole file."""

    any: tuple[Need, ...]
    techniques: dict[str, tuple[Need, ...]]


@cache
def load_proposals() -> Proposals:
    """Read and check the shipped file."""
    return read_record(data_dir("knowledge") / "proposals.yaml", Proposals)


def lacking(technique: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what the facts show to be missing; else everything that is needed and that facts do not tell."""
    known = load_proposals()
    needs = (*known.any, *known.techniques.get(technique, ()))
    failed = tuple(_failed(needs, facts))
    return failed or tuple(f"it needs {need.needs}" for need in needs if not need.when)


def _failed(needs: tuple[Need, ...], facts: Mapping[str, Any]) -> Iterator[str]:
    vocabulary = load_vocabulary()
    for need in needs:
        if need.when and parse(need.when, vocabulary, "when").run(facts) is False:
            yield f"it needs {need.needs}: {shown(need.when, facts, vocabulary)} does not hold"


def never_proposed(recommendation: Recommendation, wish: Wish, wanted: str) -> Iterator[str]:
    """Say what keeps a plan from being made: the device, the choice of runtimes, the model, or the combination."""
    yield f"No plan with {wanted} was proposed."
    considered = paths_of(recommendation.candidates)
    if wish.runtime and not any(_there(path, wish) for path in considered):
        yield _no_such_path(recommendation, wish, considered)
        return
    single = [name for name in wish.techniques if not _used(recommendation, name)]
    for name in single:
        yield f"{name} was not proposed here: {'; '.join(lacking(name, recommendation.facts)) or 'no setting fits'}."
    if not single:
        plans = [c for c in recommendation.candidates if set(wish.techniques) <= set(c.plan.techniques)]
        if not plans:
            yield _not_together(wish.techniques)
        else:
            yield f"It was proposed with other settings or elsewhere: {', '.join(named(c) for c in plans[:3])}."


def _not_together(techniques: tuple[str, ...]) -> str:
    known = load_techniques().techniques
    stages = [known[name].stage for name in techniques]
    shared = next((stage for stage in stages if stages.count(stage) > 1), None)
    if shared is not None:
        return f"They share the stage '{shared}', and a plan has one step of each stage."
    return "These techniques are not tried together; knowledge/techniques.yaml lists the combinations."


def _there(path: str, wish: Wish) -> bool:
    runtime, _, unit = path.partition("/")
    return runtime == wish.runtime and wish.unit in ("", unit)


def _used(recommendation: Recommendation, technique: str) -> bool:
    return any(technique in c.plan.techniques for c in recommendation.candidates)


def _no_such_path(recommendation: Recommendation, wish: Wish, considered: tuple[str, ...]) -> str:
    where = f"{wish.runtime}/{wish.unit}".rstrip("/")
    try:
        has = tuple(path.label for path in load_device(recommendation.device).paths)
    except DeviceError:
        has = ()
    if any(_there(path, wish) for path in has):
        return (
            f"{where} was not considered: plans are made for {', '.join(considered)}. "
            f"Ask: --what-if runtime={wish.runtime}"
        )
    return f"{recommendation.device} has no path {where}; it has {', '.join(has or considered)}."
