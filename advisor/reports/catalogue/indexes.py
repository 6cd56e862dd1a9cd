"""Indexes of rules by group, technique, class of device and origin, and the index of devices."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import get_args

from advisor.devices.page import KINDS as CLASSES
from advisor.devices.page import TRUST, row_cells
from advisor.rules.catalogue import KINDS, ORIGINS
from advisor.rules.coverage import JUDGING
from advisor.schema import CERTAINTY, Rule
from advisor.schema.device import DeviceKind
from advisor.techniques import load_techniques

from .evidence import Measured
from .known import Known
from .text import capital, plain, table

_TITLES = ("rule", "", "kind", "certainty", "origin")


def by_group(known: Known) -> Iterator[str]:
    """Write the index of all rules."""
    rules = sorted(known.base.rules, key=lambda rule: (rule.group, rule.id))
    yield from ("# Rules", "")
    yield f"{len(rules)} rules, knowledge base {known.base.version}. Each has a page with its reasons, its cases and"
    yield "its sources. Other orders: [by technique](by-technique.md), [by class of device](by-device-class.md),"
    yield "[by origin](by-origin.md); [where sources disagree](conflicts.md); [the facts that rules read](facts.md)."
    yield ""
    yield from table(("kind", "what it does", "rules"), [
        (kind, does, str(sum(rule.kind == kind for rule in rules))) for kind, does in KINDS.items()
    ])  # fmt: skip
    yield "Certainty as a weight: " + ", ".join(f"{name} {weight}" for name, weight in CERTAINTY.items()) + "."
    yield ""
    for group, members in groupby(rules, key=lambda rule: rule.group):
        yield from (f"## {group}", "")
        yield from _rows(members, known)


def by_technique(known: Known) -> Iterator[str]:
    """Write the rules that judge each technique."""
    yield from ("# Rules by technique", "")
    yield "Listed are the rules that can hold for a plan of the technique and not for the model as it is."
    yield f"{sum(reach.unchanged for reach in known.reach.values())} further rules can hold whatever is planned."
    yield ""
    titles = {name: entry.title for name, entry in load_techniques().techniques.items()}
    for name, title in titles.items():
        found = [rule for rule in known.base.rules if _judges(rule, name, known)]
        counts = ", ".join(f"{n} {kind}" for kind in KINDS if (n := sum(rule.kind == kind for rule in found)))
        found.sort(key=lambda rule: (len(known.reach[rule.id].techniques), rule.id))
        yield from _section(name, f"{plain(title)}: {len(found)} rules ({counts}).", found, known)


def _judges(rule: Rule, technique: str, known: Known) -> bool:
    reach = known.reach[rule.id]
    return technique in reach.techniques and not reach.unchanged and not rule.deprecated


def by_class(known: Known) -> Iterator[str]:
    """Write the rules that ask for what devices of each class are."""
    yield from ("# Rules by class of device", "")
    yield "Listed are the rules that ask for the device or its execution paths and can hold on some profile of the"
    yield "class, those that hold on few devices first."
    yield f"{sum(reach.anywhere for reach in known.reach.values())} further rules ask for neither and hold anywhere."
    yield ""
    for kind, what in CLASSES.items():
        found = [rule for rule in known.base.rules if _asks(rule, kind, known)]
        judging = sum(rule.kind in JUDGING for rule in found)
        found.sort(key=lambda rule: (len(known.reach[rule.id].devices), rule.id))
        said = f"{plain(capital(what))}: {len(found)} rules, {judging} of which judge plans."
        yield from _section(kind, said, found, known)


def _asks(rule: Rule, kind: str, known: Known) -> bool:
    reach = known.reach[rule.id]
    return kind in reach.kinds and not reach.anywhere and not rule.deprecated


def by_origin(known: Known) -> Iterator[str]:
    """Write the rules by who says them."""
    yield from ("# Rules by origin", "")
    yield "A rule with several marks mixes them and stands under each."
    yield ""
    for mark, meaning in ORIGINS.items():
        found = [rule for rule in known.base.rules if mark in rule.origin.split("+")]
        yield from _section(mark, f"{plain(capital(meaning))}: {len(found)} rules.", found, known)


def _section(title: str, said: str, rules: Iterable[Rule], known: Known) -> Iterator[str]:
    yield from (f"## {title}", "", said, "")
    yield from _rows(rules, known)


def _rows(rules: Iterable[Rule], known: Known) -> Iterator[str]:
    yield from table(_TITLES, [known.row(rule) for rule in rules])


def devices(known: Known, measured: Measured) -> Iterator[str]:
    """Write the index of devices."""
    yield from ("# Devices", "")
    yield f"{len(known.devices)} devices; any name or alias is a `--target`. Memory is main memory in MB, or RAM and"
    yield "flash in KiB for microcontrollers; int8 and float are peaks in GMAC/s of the path named. A dash is an"
    yield "unknown figure, never a zero; ~ marks what rests on an assumption. Measured counts published latencies."
    yield ""
    yield "Profiles: " + "; ".join(f"**{name}** {meaning}" for name, meaning in TRUST.items()) + "."
    yield ""
    titles = ("device", "also called", "name", "memory", "runs best on", "int8", "float", "profile", "measured")
    for kind in get_args(DeviceKind):
        members = [device for device in known.devices if device.kind == kind]
        yield from (f"## {kind}", "", f"{plain(capital(CLASSES[kind]))}: {len(members)}.", "")
        rows = []
        for device in members:
            _, *cells = row_cells(device)
            count = sum(row.count for row in measured.get(device.id, ()))
            rows.append((f"[{device.id}](devices/{device.id}.md)", *map(_cell, cells), str(count or "-")))
        yield from table(titles, rows)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("~", "\\~")
