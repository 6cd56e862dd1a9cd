"""The pages of device profiles: the list, and one device with the origin of every figure."""

from collections.abc import Sequence

from advisor.schema import Device, ExecPath, Figure
from advisor.units import three

from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, Tone, filled

_CONFIDENCE: dict[str, Tone] = {"good": "good", "detected": "good", "secondary": "plain", "placeholder": "warn"}


def devices_page(devices: Sequence[Device]) -> Page:
    """List devices in one line each."""
    columns = (
        Column("device"),
        Column("kind"),
        Column("memory MB", right=True, wrap=True),
        Column("runs best on", wrap=True),
        Column("profile"),
    )
    rows = tuple(_row(device) for device in devices)
    note = f"{len(devices)} devices. 'advisor devices show NAME' tells all figures with their sources."
    return Page("Devices", (Table(columns, rows, note=note),))


def _row(device: Device) -> tuple[Line, ...]:
    memory = device.memory
    capacity = memory.capacity_mb or _from_kb(memory.sram_kb)
    first, *others = device.preferred_paths
    best = f"{first.runtime} {first.unit}" + (f" +{len(others)}" if others else "")
    confidence = Span(device.confidence, _CONFIDENCE[device.confidence])
    return device.id, device.kind, _value(capacity), best, confidence


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
        Items(tuple(_restriction_lines(device)), "Restrictions"),
        _sources(device),
        *([Paragraph(device.notes, "Notes")] if device.notes else []),
    )
    return Page(f"{device.name} ({device.id})", filled(blocks))


def _identity(device: Device) -> Facts:
    pairs: list[tuple[str, Line]] = [("kind", device.kind), ("vendor", device.vendor)]
    if device.soc:
        pairs.append(("chip", device.soc))
    if device.cpu:
        cores = ", ".join(f"{core.count} x {core.name}" for core in device.cpu.cores)
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


def _figures(device: Device) -> Table:
    columns = (Column("figure", wrap=True), Column("value", right=True), Column("origin"), Column("from", wrap=True))
    rows = tuple(
        (_place(device, where), three(figure.value), figure.basis, figure.source or figure.formula or "-")
        for where, figure in device.figures.items()
    )
    return Table(columns, rows, "Figures")


def _place(device: Device, where: str) -> str:
    """Name a figure by its path's label instead of its index: 'tensorrt/gpu peak_gmacs fp16'."""
    head, _, rest = where.partition("]")
    if head.startswith("paths["):
        label = device.paths[int(head.removeprefix("paths["))].label
        return f"{label} {rest.strip('.').replace('[', ' ').rstrip(']')}"
    return where.replace(".", " ").replace("_", " ")


def _restriction_lines(device: Device) -> list[Line]:
    lines: list[Line] = []
    for path in device.paths:
        given = path.restrictions.model_dump(exclude_defaults=True)
        told = [f"{name.replace('_', ' ')}: {_listed(value)}" for name, value in given.items()]
        if told or path.notes:
            lines.append((Span(path.label, "strong"), ": ", "; ".join([*told, *([path.notes] if path.notes else [])])))
    return lines


def _listed(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value)
    return "yes" if value is True else "no" if value is False else str(value)


def _sources(device: Device) -> Items:
    used = {figure.source for figure in device.figures.values()}
    lines = (
        (Span(key, "strong"), f": {source.what}, {source.where}", f" ({source.date})" if source.date else "")
        for key, source in device.sources.items()
        if key in used
    )
    return Items(tuple(lines), "Sources")
