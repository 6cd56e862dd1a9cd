"""Devices from the words of a benchmark."""

import pytest

from advisor.devices.described import described_device

BIG_LITTLE = [("Cortex-A73", 2.2, 4), ("Cortex-A53", 1.8, 2)]


@pytest.mark.parametrize(
    ("text", "cores", "isa"),
    [
        ("Rockchip RK3566 (Cortex-A55 1.8GHz x 4)", [("Cortex-A55", 1.8, 4)], {"asimdhp", "dotprod"}),
        (
            "Khadas VIM3 (Cortex-A73 2.2GHz x 4 + Cortex-A53 1.8GHz x 2)",
            [("Cortex-A73", 2.2, 4), ("Cortex-A53", 1.8, 2)],
            {"neon"},
        ),
        ("Freescale i.MX7 Dual (Cortex A7 1000 MHz * 2)", [("Cortex-A7", 1.0, 2)], {"neon"}),
    ],
)
def test_cores_clocks_and_instruction_sets_are_read(text, cores, isa):
    device = described_device(text, "ncnn")
    assert [(c.name, c.freq_ghz.value, c.count) for c in device.cpu.cores] == cores
    assert isa <= set(device.cpu.isa)
    assert device.confidence == "placeholder"
    assert device.path("ncnn", "cpu").peak_gmacs["fp32"].value > 0


@pytest.mark.parametrize("text", ["", "a board", "Cortex-A55 x 4", "MacBook Pro (13-inch)"])
def test_a_name_without_a_core_and_its_clock_tells_nothing(text):
    assert described_device(text, "ncnn") is None


def test_only_processors_are_described():
    assert described_device("Rockchip RK3566 (Cortex-A55 1.8GHz x 4)", "ncnn", "gpu") is None
