"""The catalogue of devices as a page: `python -m advisor.devices.page [FILE]` writes docs/devices.md."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from advisor.resources import data_dir
from advisor.schema import Device, ExecPath, Figure
from advisor.schema.device import DeviceKind
from advisor.units import three
from advisor.writing import write_text

from .catalogue import list_devices

KINDS = {
    "x86": "PCs and servers with x86 processors",
    "computer": "laptops, desktops and servers that are not x86",
    "sbc": "single-board computers and application processors",
    "gpu-soc": "systems on chip whose GPU does the work",
    "gpu-card": "graphics cards and graphics units of a PC",
    "npu-accelerator": "accelerators behind a host",
    "camera-soc": "camera chips and sensors with an accelerator",
    "phone": "phones",
    "mcu": "microcontrollers",
    "mcu-npu": "microcontrollers with an accelerator",
    "fpga": "programmable logic",
}
TRUST = {
    "good": "the figures that decide come from a vendor or from measurements",
    "secondary": "mostly third-party texts, or figures of the rows that name the board",
    "placeholder": "a name to hang measurements on; hardly a figure is known",
}


def render(devices: Sequence[Device]) -> str:
    """Write the whole page; the same devices give the same text."""
    return "\n".join(_page(devices)) + "\n"


def page_path() -> Path:
    """Return where the page lies in a checkout."""
    return data_dir("profiles").parent / "docs" / "devices.md"


def _page(devices: Sequence[Device]) -> Iterator[str]:
    yield "# Devices\n"
    yield f"{len(devices)} devices. Generated from `profiles/` by `python -m advisor.devices.page`; do not edit."
    yield "`advisor devices show NAME` tells every figure with its source; any name or alias below is a `--target`.\n"
    yield "Memory is main memory in MB, or RAM and flash in KiB for microcontrollers; int8 and float are the peaks in"
    yield "GMAC/s of the path named. A dash is an unknown figure, never a zero; ~ marks what rests on an assumption.\n"
    yield "Profiles: " + "; ".join(f"**{name}** {meaning}" for name, meaning in TRUST.items()) + ".\n"
    yield "| kind | devices | what |"
    yield "|---|---|---|"
    groups = {kind: [device for device in devices if device.kind == kind] for kind in get_args(DeviceKind)}
    for kind, members in groups.items():
        yield f"| [{kind}](#{kind}) | {len(members)} | {KINDS[kind]} |"
    for kind, members in groups.items():
        yield f"\n## {kind}\n"
        yield "| device | also called | name | memory | runs best on | int8 | float | profile |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from map(_row, members)


def _row(device: Device) -> str:
    identity, aliases, *cells = row_cells(device)
    named = f"`{identity}`", ", ".join(f"`{alias}`" for alias in aliases.split(", ") if alias)
    return f"| {' | '.join(cell.replace('|', '/') for cell in (*named, *cells))} |"


def row_cells(device: Device) -> tuple[str, ...]:
    """Return what one row says: id, aliases, name, memory, best path, int8 and float peaks, trust in the profile."""
    path = device.preferred_paths[0]
    return (
        device.id,
        ", ".join(device.aliases),
        device.name,
        _memory(device),
        path.label,
        _value(path.peak_gmacs.get("int8")),
        _float(path),
        device.confidence,
    )


def _float(path: ExecPath) -> str:
    figure = path.peak_gmacs.get(path.default_float)
    return "-" if figure is None else f"{path.default_float} {_value(figure)}"


def _memory(device: Device) -> str:
    memory = device.memory
    if device.os:
        return _value(memory.capacity_mb)
    return f"{_value(memory.sram_kb)} / {_value(memory.flash_kb)} KiB"


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else ("~" if figure.basis == "assumed" else "") + three(figure.value)


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file given, else into the checkout."""
    path = Path(arguments[0]) if arguments else page_path()
    devices = list_devices()
    write_text(path, render(devices))
    print(f"{path}: {len(devices)} devices")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
