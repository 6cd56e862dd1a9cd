"""The pages of device profiles: the list, and one device with the origin of every figure."""

from collections.abc import Sequence
from typing import get_args

from advisor.devices import Checked
from advisor.schema import Core, Device, ExecPath, Figure, PowerMode
from advisor.schema.device import DeviceKind
from advisor.units import three

from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, Tone, filled

_KINDS: tuple[str, ...] = get_args(DeviceKind)
_CONFIDENCE: dict[str, Tone] = {"good": "good", "detected": "good", "secondary": "plain", "placeholder": "warn"}


def devices_page(devices: Sequence[Device]) -> Page:
    """List devices in one line each, one table for each kind."""
    tables: list[Block] = [
        _list_of(kind, [device for device in devices if device.kind == kind])
        for kind in dict.fromkeys(device.kind for device in sorted(devices, key=lambda d: _KINDS.index(d.kind)))
    ]
    note = f"{len(devices)} devices. 'advisor devices show NAME' tells all figures with their sources."
    return Page("Devices", (*tables, Paragraph(note)))


def _list_of(kind: str, devices: Sequence[Device]) -> Table:
    title = kind if len(devices) == 1 else f"{kind} ({len(devices)})"
    columns = (Column("device"), Column("memory MB", right=True), Column("runs best on", wrap=True), Column("profile"))
    return Table(columns, tuple(_row(device) for device in devices), title)


def _row(device: Device) -> tuple[Line, ...]:
    memory = device.memory
    capacity = memory.capacity_mb or _from_kb(memory.sram_kb)
    first, *others = device.preferred_paths
    best = f"{first.runtime} {first.unit}" + (f" +{len(others)}" if others else "")
    confidence = Span(device.confidence, _CONFIDENCE[device.confidence])
    return device.id, _value(capacity), best, confidence


def check_page(checked: Checked) -> Page:
    """Say how many profiles are sound and what is wrong with the others."""
    wrong = len(checked.problems)
    verdict = Span("all sound", "good") if not wrong else Span(f"{wrong} wrong", "bad")
    counts = Facts((("profiles", (f"{checked.profiles}, ", verdict)), ("aliases", str(checked.aliases))))
    lines = tuple((Span(p.what, "bad"), f" {p.where}. {p.remedy}".rstrip(". ") + ".") for p in checked.problems)
    return Page("Check of the device profiles", filled((counts, Items(lines, "Problems"))))


def _from_kb(figure: Figure | None) -> Figure | None:
    return None if figure is None else figure.model_copy(update={"value": figure.value / 1e3})


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else three(figure.value)


def device_page(device: Device) -> Page:
    """Show one device completely."""
    blocks: tuple[Block, ...] = (
        _identity(device),
        _paths(device),
        _figures(device),
        _modes(device),
        Items(tuple(_restriction_lines(device)), "Restrictions"),
        _sources(device),
        *([Paragraph(device.power.thermal, "Heat")] if device.power.thermal else []),
        *([Paragraph(device.notes, "Notes")] if device.notes else []),
    )
    return Page(f"{device.name} ({device.id})", filled(blocks))


def _identity(device: Device) -> Facts:
    pairs: list[tuple[str, Line]] = [("kind", device.kind), ("vendor", device.vendor)]
    if device.soc:
        pairs.append(("chip", device.soc))
    if device.cpu:
        cores = ", ".join(f"{core.count} x {core.name}{_clock(core)}" for core in device.cpu.cores)
        pairs.append(("CPU", f"{cores or 'cores unknown'} ({device.cpu.arch})"))
        pairs.append(("instructions", ", ".join(device.cpu.isa) or "not known"))
    if device.gpu:
        pairs.append(("GPU", device.gpu.name))
    if device.npu:
        pairs.append(("NPU", device.npu))
    pairs.append(("profile", (Span(device.confidence, _CONFIDENCE[device.confidence]), f", version {device.version}")))
    if device.aliases:
        pairs.append(("also called", ", ".join(device.aliases)))
    return Facts(tuple(pairs))


def _clock(core: Core) -> str:
    return f" at {three(core.freq_ghz.value)} GHz" if core.freq_ghz else ""


def _paths(device: Device) -> Table:
    columns = (Column("runs on"), Column("precisions with peak GMAC/s", wrap=True), Column("float as"), Column(""))
    rows = tuple(_path_row(path) for path in device.paths)
    return Table(columns, rows, "Execution paths", "Without a figure the peak is not known.")


def _path_row(path: ExecPath) -> tuple[Line, ...]:
    peaks = ", ".join(
        f"{precision} {three(path.peak_gmacs[precision].value)}" if precision in path.peak_gmacs else precision
        for precision in path.precisions
    )
    return path.label, peaks, path.default_float, Span("preferred" if path.preferred else "", "good")


def _modes(device: Device) -> Items:
    """List what each power mode leaves; the mode of the profile's figures is marked."""
    return Items(tuple(_mode(mode) for mode in device.power.modes), "Power modes")


def _mode(mode: PowerMode) -> Line:
    limits = (
        (mode.watts, "{:g} W"), (mode.cores, "{} CPU cores"), (mode.cpu_ghz, "CPU {:g} GHz"),
        (mode.gpu_ghz, "GPU {:g} GHz"), (mode.gpu_units, "{} GPU groups"), (mode.dla_ghz, "DLA {:g} GHz"),
        (mode.memory_ghz, "memory {:g} GHz"),
    )  # fmt: skip
    told = ", ".join(text.format(value) for value, text in limits if value is not None)
    usual = "; the figures of this profile are for it" if mode.default else ""
    return Span(mode.name, "strong"), f": {told or 'limits not known'}{usual} [{mode.source}]"


def _figures(device: Device) -> Table:
    """List every figure; a peak that all runtimes of a unit share stands once, under the unit's name."""
    columns = (Column("figure", wrap=True), Column("value", right=True), Column("origin"), Column("from", wrap=True))
    rows = dict.fromkeys(
        (_place(device, where, figure), three(figure.value), figure.basis, _origin(figure))
        for where, figure in device.figures.items()
    )
    return Table(columns, tuple(rows), "Figures")


def _origin(figure: Figure) -> str:
    return ": ".join(filter(None, (figure.source, figure.formula))) or "-"


def _place(device: Device, where: str, figure: Figure) -> str:
    """Name a figure by its path's label instead of its index: 'tensorrt/gpu peak fp16', or 'gpu peak fp16'."""
    head, _, rest = where.partition("]")
    if not head.startswith("paths["):
        return where.replace(".", " ").replace("_", " ")
    path = device.paths[int(head.removeprefix("paths["))]
    what = rest.strip(".").replace("[", " ").rstrip("]")
    sharing = [p for p in device.paths if p.unit == path.unit and figure in p.peak_gmacs.values()]
    return f"{path.unit if len(sharing) > 1 else path.label} {what.replace('peak_gmacs', 'peak')}"


def _restriction_lines(device: Device) -> list[Line]:
    lines: list[Line] = []
    for path in device.paths:
        given = path.restrictions.model_dump(exclude_defaults=True)
        told = [f"{name.replace('_', ' ')}: {_listed(value)}" for name, value in given.items()]
        if path.threads is not None:
            told.append(f"threads: {path.threads}")
        if told or path.notes:
            lines.append((Span(path.label, "strong"), ": ", "; ".join([*told, *([path.notes] if path.notes else [])])))
    return lines


def _listed(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value)
    return "yes" if value is True else "no" if value is False else str(value)


def _sources(device: Device) -> Items:
    used = {figure.source for figure in device.figures.values()} | {mode.source for mode in device.power.modes}
    lines = (
        (Span(key, "strong"), f": {source.what}, {source.where}", f" ({source.date})" if source.date else "")
        for key, source in device.sources.items()
        if key in used
    )
    return Items(tuple(lines), "Sources")
