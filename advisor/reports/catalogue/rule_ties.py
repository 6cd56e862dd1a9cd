"""What ties a rule to others, and where it can speak."""

from collections.abc import Iterable, Iterator

from advisor.rules.load import Compiled
from advisor.schema import Rule

from .known import Known
from .text import anchor, code, plain

_FEW = 30  # devices that a page names one by one


def ties(rule: Rule, known: Known) -> Iterator[str]:
    """Write which rules it sets aside or yields to, shares evidence with, and which conflicts it takes part in."""
    siblings = [one for one in known.same_evidence.get(rule.same_evidence, ()) if one != rule.id]
    lists = {
        "Sets aside, where both fire": rule.overrides,
        "Is set aside by": known.set_aside_by.get(rule.id, ()),
        "Shares its evidence with, so that the strongest speaks for all": siblings,
    }
    lines = [f"- {title}: {_titles(ids, known)}" for title, ids in lists.items() if ids]
    for conflict in known.conflicts.of(rule.id):
        lines.append(f"- Conflict [{conflict.id}](../conflicts.md#{anchor(conflict.id)}): {plain(conflict.question)}")
    if lines:
        yield from ("## Beside other rules", "", *lines, "")


def _titles(ids: Iterable[str], known: Known) -> str:
    return "; ".join(f"{known.link(one, '../')} {plain(known.base.get(one).rule.title)}" for one in ids)


def places(entry: Compiled, known: Known) -> Iterator[str]:
    """Write the techniques and devices that it can speak about, and the facts that it reads."""
    reach = known.reach[entry.rule.id]
    techniques = ", ".join(f"[{plain(name)}](../by-technique.md#{name})" for name in reach.techniques)
    if reach.unchanged:
        techniques = f"{techniques}, and the model as it is" if techniques else "the model as it is"
    kinds = ", ".join(f"[{kind}](../by-device-class.md#{kind})" for kind in reach.kinds)
    yield from ("## Where it can speak", "")
    yield f"- Techniques: {techniques or 'none of those that can be planned'}"
    if reach.anywhere:
        yield "- Devices: any"
    else:
        yield f"- Classes of devices: {kinds or 'none of the profiles'}"
        yield from _devices(sorted(reach.devices))
    yield f"- Facts: {', '.join(f'[{code(name)}](../facts.md#{anchor(name)})' for name in entry.names) or 'none'}"
    yield ""


def _devices(ids: list[str]) -> Iterator[str]:
    if 0 < len(ids) <= _FEW:
        yield f"- Devices: {', '.join(f'[{one}](../devices/{one}.md)' for one in ids)}"
    elif ids:
        yield f"- Devices: {len(ids)} profiles"
