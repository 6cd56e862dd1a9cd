"""The vocabulary of facts: name, type, unit, legal values, meaning, how it is obtained, and the rules that read it."""

from collections.abc import Iterator

from advisor.rules.vocabulary import PER_CANDIDATE, FactSpec

from .known import Known
from .text import capital, plain

_ROOMS = {
    "model": "The network that was given",
    "dev": "The device",
    "rt": "The execution path of the plan: a runtime on a unit",
    "data": "The images that were given",
    "user": "What the user wants and allows",
    "plan": "The candidate plan",
}
_ORIGINS = {
    "derived": "is computed from the model, the device, the goal or the plan",
    "asked": "only the user can tell; otherwise it is unknown",
}


def facts_page(known: Known) -> Iterator[str]:
    """Write the page."""
    facts = known.base.vocabulary
    yield from ("# Facts", "")
    yield f"{len(facts)} facts, the only things that rules can speak of. A fact that cannot be determined is unknown:"
    yield "rules neither fire nor pass on it. Facts of the plan and its path differ from candidate to candidate, the"
    yield "others hold for the whole case."
    yield ""
    for room in dict.fromkeys(name.split(".")[0] for name in facts):
        varies = " They differ from candidate to candidate." if f"{room}." in PER_CANDIDATE else ""
        yield from (f"## {room}", "", f"{_ROOMS.get(room, room)}.{varies}", "")
        for name, spec in facts.items():
            if name.split(".")[0] == room:
                yield from _fact(spec, known)


def _fact(spec: FactSpec, known: Known) -> Iterator[str]:
    yield from (f"### {spec.name}", "", f"{plain(capital(spec.about))}.", "")
    unit = f", in {spec.unit}" if spec.unit else ""
    yield f"- Type: {spec.type}{unit}{_legal(spec)}"
    yield f"- In words: {plain(_words(spec, known))}"
    yield f"- How it is obtained: {plain(spec.how) if spec.how else _ORIGINS[spec.origin]}"
    if spec.how and spec.origin == "asked":
        yield f"- Asked: {_ORIGINS['asked']}"
    readers = ", ".join(known.link(rule) for rule in known.readers.get(spec.name, ()))
    yield f"- Read by: {readers or 'no rule yet; predictions and proposals may'}"
    yield ""


def _legal(spec: FactSpec) -> str:
    if spec.values:
        return f"; one of {', '.join(map(plain, spec.values))}"
    return f"; {spec.bounds[0]:g} to {spec.bounds[1]:g}" if spec.bounds else ""


def _words(spec: FactSpec, known: Known) -> str:
    phrase = known.phrases[spec.name]
    return f"{phrase.if_true} / {phrase.if_false}" if spec.type == "bool" else phrase.name
