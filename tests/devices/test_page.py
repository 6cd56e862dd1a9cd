"""The page of all devices: complete, honest about what is unknown or assumed, and up to date in the checkout."""

from pathlib import Path

import pytest

from advisor.devices import list_devices, load_device
from advisor.devices.page import main, page_path, render

DEVICES = list_devices()
PAGE = render(DEVICES)


def row_of(device: str) -> list[str]:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{device}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_device_and_alias_stands_on_the_page() -> None:
    for device in DEVICES:
        cells = row_of(device.id)
        assert all(f"`{alias}`" in cells[1] for alias in device.aliases)
        assert cells[-1] == device.confidence


def test_unknown_figures_are_dashes_and_assumed_ones_are_marked() -> None:
    assert row_of("coral-bench-desktop-cpu")[5:7] == ["-", "-"]
    assert row_of("rtx-3090")[5] == "~142000"
    assert row_of("kunpeng-920-7260")[6].startswith("fp32 ~")  # rests on an assumed clock
    assert row_of("ndp9120")[3] == "304 / - KiB"


def test_a_peak_that_rests_on_an_assumed_clock_is_assumed() -> None:
    path = load_device("kunpeng-920-7260").path("ncnn", "cpu")
    assert path is not None
    assert path.peak_gmacs["fp16"].basis == "assumed"
    sure = load_device("ryzen-5700g").path("ncnn", "cpu")
    assert sure is not None
    assert sure.peak_gmacs["fp32"].basis == "derived"


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "devices.md")]) == 0
    assert (tmp_path / "devices.md").read_text(encoding="utf-8") == PAGE
    assert f"{len(DEVICES)} devices" in capsys.readouterr().out


def test_the_page_in_the_checkout_is_up_to_date() -> None:
    assert page_path().read_text(encoding="utf-8") == PAGE, "run python -m advisor.devices.page"
