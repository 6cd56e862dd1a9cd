"""The page of one device: its profile, what is not known, what was measured on it, and the rules that ask for it."""

from collections.abc import Iterator

from advisor.devices.page import KINDS, TRUST
from advisor.reports.devices import device_page as profile
from advisor.reports.markdown import to_markdown
from advisor.reports.page import Items, Page
from advisor.schema import Device

from .evidence import Measured
from .known import Known
from .text import anchor, orphan, plain, source, table

_WIDE = 0.25  # a rule that can hold on more than this share of all devices tells little about one of them


def device_page(device: Device, known: Known, measured: Measured) -> str:
    """Write the page."""
    return "\n".join(_page(device, known, measured)).rstrip() + "\n"


def _page(device: Device, known: Known, measured: Measured) -> Iterator[str]:
    page = profile(device)
    yield from orphan(plain(page.title))
    yield f"One of the [{device.kind}](../devices.md#{device.kind}): {KINDS[device.kind]}. The profile is"
    yield f"**{device.confidence}**: {TRUST.get(device.confidence, 'found on the machine itself')}."
    yield ""
    kept = tuple(block for block in page.blocks if not (isinstance(block, Items) and block.title == "Sources"))
    yield to_markdown(Page("", kept)).split("\n", 2)[2]
    yield from ("## What is not known", "")
    yield from [f"- {plain(gap)}" for gap in gaps(device)] or ["Nothing that predictions ask for."]
    yield ""
    yield from _evidence(device, measured)
    yield from _rules(device, known)
    yield from ("## Where the figures come from", "")
    used = {figure.source for figure in device.figures.values()} | {mode.source for mode in device.power.modes}
    for key, one in device.sources.items():
        if key in used:
            date = f" ({one.date})" if one.date else ""
            yield f"- **{plain(key)}** {plain(one.what)}, {source(one.where)}{date}"
    if not used - {""}:
        yield "No figure of this profile has a source."


def gaps(device: Device) -> Iterator[str]:
    """Name the figures that predictions would use and the profile does not state."""
    memory, power = device.memory, device.power
    if device.cpu is None or not device.cpu.cores:
        yield "the cores of the CPU"
    elif any(core.freq_ghz is None for core in device.cpu.cores):
        yield "the clock of the CPU"
    if device.os:
        yield from _missing({"the main memory": memory.capacity_mb, "the memory bandwidth": memory.bandwidth_gbs})
    else:
        yield from _missing({"the RAM": memory.sram_kb, "the flash": memory.flash_kb})
    if any(path.unit == "npu" for path in device.paths) and memory.on_chip_kb is None:
        yield "the accelerator's own memory"
    for path in device.paths:
        unknown = [precision for precision in path.precisions if precision not in path.peak_gmacs]
        if unknown:
            yield f"the peak of {path.label} in {', '.join(unknown)}"
    yield from _missing({"the power under load": power.typical_w, "the power at rest": power.idle_w})
    if not power.thermal:
        yield "when it slows itself down by heat"


def _missing(figures: dict[str, object]) -> Iterator[str]:
    yield from (name for name, figure in figures.items() if figure is None)


def _evidence(device: Device, measured: Measured) -> Iterator[str]:
    yield from ("## What was measured on it", "")
    rows = measured.get(device.id, ())
    if not rows:
        yield from (
            "No published latency of this device is carried: predictions rest on its class and on a roofline.",
            "",
        )
        return
    yield f"{sum(row.count for row in rows)} published latencies. Each answers its own question; together they train"
    yield "the model of named devices, which answers all others ([how far off it is](../latency-devices.md))."
    yield ""
    yield from table(
        ("unit", "runtime", "precision", "latencies", "networks", "published", "sources"),
        [
            (row.unit, row.runtime, row.precision or "-", str(row.count), str(row.networks), row.published,
             ", ".join(f"[{plain(one)}](../evidence-sources.md#{anchor(one)})" for one in row.sources))
            for row in rows
        ],
    )  # fmt: skip


def _rules(device: Device, known: Known) -> Iterator[str]:
    """List the rules that hold on few devices and can hold here, by what they do."""
    yield from ("## Rules that ask for it", "")
    most = _WIDE * len(known.devices)
    own = [
        rule
        for rule in known.base.rules
        if (reach := known.reach[rule.id]) and not reach.anywhere and device.id in reach.devices
        if len(reach.devices) < most and not rule.deprecated
    ]
    if not own:
        yield from ("None that does not also hold on most other devices.", "")
        return
    yield "They can hold here, for some model and plan, and on fewer than a quarter of all devices;"
    yield f"[all of this class](../by-device-class.md#{device.kind}) lists the others."
    yield ""
    own.sort(key=lambda rule: (len(known.reach[rule.id].devices), rule.id))
    yield from table(
        ("rule", "", "kind", "certainty", "origin", "devices"),
        [(*known.row(rule, "../"), str(len(known.reach[rule.id].devices))) for rule in own],
    )
