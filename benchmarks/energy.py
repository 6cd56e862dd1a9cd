"""Fit power under inference to published rows and judge energies by held-out ones; writes power.csv and docs/energy.md.

    python benchmarks/energy.py EVIDENCE_FOLDER

Power of a device: the median of its rows, judged with one network left out. Power of a Cortex-M core: milliwatts per
MHz, judged with one device left out. Power of a board with power modes: the share of the mode's budget that it draws,
judged likewise. Energy is power times latency; where the latency is predicted too, both errors count.
"""

import argparse
import csv
import gzip
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from tiny_networks import mobilenet_v1, resnet_cifar

from advisor.devices import load_device
from advisor.errors import AdvisorError
from advisor.prediction.energy import published_rows
from advisor.prediction.engine import predict
from advisor.profiling import profile_module
from advisor.resources import data_dir
from advisor.schema import Metric, Plan, Workload
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8
from advisor.writing import write_text

COLUMNS = ("device", "scope", "core", "clock_mhz", "unit", "runtime", "precision", "model", "latency_ms", "power_w",
           "budget_w", "source")  # fmt: skip
BUDGETS = {"jetson-nano": 10, "jetson-orin-nano": 15, "jetson-orin-nano-super": 25}  # mode in use, of the default image
STEP = StaticInt8(signedness="s8s8")


def published(evidence: Path) -> list[dict[str, str]]:
    """Return every row with a power, in the columns of power.csv."""
    found = []
    with gzip.open(evidence / "latency.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for r in csv.DictReader(file):
            if not r["power_w"]:
                continue
            clock = re.search(r"clock=([\d.]+) MHz", r["notes"])
            core = re.search(r"Cortex.?-M\d+", r["soc"].replace("\N{REGISTERED SIGN}", ""))
            board = r["source"] in ("idein-aicast", "hokwangchoi-orin-nano")
            found.append({
                "device": r["device"], "scope": "board" if board else "chip", "core": core[0] if core else "",
                "clock_mhz": clock[1] if clock else "", "unit": r["unit"], "runtime": r["runtime"].split("=")[0],
                "precision": r["precision"], "model": r["model"], "latency_ms": r["latency_ms"],
                "power_w": r["power_w"], "budget_w": str(BUDGETS.get(r["device"], "")) if board else "",
                "source": r["source"],
            })  # fmt: skip
    return found


def left_out(groups: dict[str, list[tuple[str, float]]]) -> list[float]:
    """Ratios of each value to the median of the values of its group that belong to other names."""
    ratios = []
    for pairs in groups.values():
        for name, value in pairs:
            others = [v for other, v in pairs if other != name]
            if others:
                ratios.append(value / float(np.median(others)))
    return ratios


def interval(ratios: list[float]) -> str:
    """Write the middle 80 %."""
    low, high = np.quantile(ratios, [0.1, 0.9])
    return f"{low:.2f} to {high:.2f} (n={len(ratios)}, extremes {min(ratios):.2f} to {max(ratios):.2f})"


def per_device(rows: list[dict[str, str]]) -> list[float]:
    """Return left-out ratios within a device, network by network."""
    groups: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for r in rows:
        groups[f"{r['device']} {r['scope']}"].append((r["model"], float(r["power_w"])))
    return left_out(groups)


def cortex_m(rows: list[dict[str, str]]) -> dict[str, list[float]]:
    """Return milliwatts per MHz of Cortex-M chips that compute on the core, by device."""
    found: dict[str, list[float]] = defaultdict(list)
    for r in rows:
        if r["core"] and r["clock_mhz"] and r["unit"] == "mcu":
            found[r["device"]].append(float(r["power_w"]) * 1e3 / float(r["clock_mhz"]))
    return found


def budgets(rows: list[dict[str, str]]) -> dict[str, list[float]]:
    """Return power over the budget of the mode, by device."""
    found: dict[str, list[float]] = defaultdict(list)
    for r in rows:
        if r["budget_w"]:
            found[r["device"]].append(float(r["power_w"]) / float(r["budget_w"]))
    return found


def networks() -> dict[str, Workload]:
    """Profile the networks of MLPerf Tiny that can be rebuilt."""
    return {
        "resnet8": profile_module(resnet_cifar(1, 10).eval(), (1, 3, 32, 32), name="resnet8"),
        "mobilenet_v1_0.25_96": profile_module(mobilenet_v1(0.25, 2).eval(), (1, 3, 96, 96), name="mobilenet"),
    }


def judged(rows: list[dict[str, str]]) -> list[tuple[str, str, float, float, float, float, str]]:
    """Return device, network, published and predicted energy with its interval, and what it rests on."""
    known, found = networks(), []
    for r in rows:
        try:
            device = load_device(r["device"])
        except AdvisorError:
            continue
        if r["model"] not in known or r["unit"] != "mcu":
            continue
        runtime = "stm32cubeai" if device.path("stm32cubeai", "mcu") else "tflite-micro"
        plan = Plan(steps=(STEP,), runtime=runtime, unit="mcu")
        original = known[r["model"]]
        energy = predict(plan, original, preview(STEP, original), device, {}).get(Metric.ENERGY)
        if energy is not None:
            true = float(r["latency_ms"]) * float(r["power_w"])
            found.append((r["device"], f"{r['model']}, {r['runtime']}", true, energy.mid, energy.low, energy.high,
                          energy.basis.value))  # fmt: skip
    return found


def page(rows: list[dict[str, str]]) -> str:
    """Lay out the page."""
    cores, shares, table = cortex_m(rows), budgets(rows), judged(rows)
    all_cores = [v for values in cores.values() for v in values]
    core_ratios = [
        v / float(np.median([float(np.median(o)) for name, o in cores.items() if name != device]))
        for device, values in cores.items() for v in values
    ]  # fmt: skip
    share_ratios = [
        v / float(np.median([float(np.median(o)) for name, o in shares.items() if name != device]))
        for device, values in shares.items() for v in values
    ]  # fmt: skip
    inside = [low <= true <= high for _, _, true, _, low, high, _ in table]
    error = [abs(mid / true - 1) for _, _, true, mid, *_ in table]
    lines = [
        "# Energy: predicted against published",
        "",
        f"Written by `python benchmarks/energy.py EVIDENCE`. {len(rows)} published rows state a power; they lie in "
        "knowledge/prediction/power.csv. Energy of one inference = power under load x latency; 1 W x 1 ms = 1 mJ.",
        "",
        "## Power",
        "",
        f"- Within a device, one network left out: published over predicted power {interval(per_device(rows))}. The "
        "width comes from supply voltage and runtime (one board: 35 to 78 mW), not from the network.",
        f"- Cortex-M cores without rows of their own: median {np.median([np.median(v) for v in cores.values()]):.3f} "
        f"mW per MHz over {len(cores)} devices ({', '.join(f'{d} {np.median(v):.3f}' for d, v in cores.items())}), all "
        f"rows {min(all_cores):.3f} to {max(all_cores):.3f}; one device left out: {interval(core_ratios)}. Chips "
        "alone, without board and sensors.",
        f"- Boards with power modes: share of the mode's budget in use, median by device "
        f"{', '.join(f'{d} {np.median(v):.2f}' for d, v in shares.items())}; one device left out: "
        f"{interval(share_ratios)}. The mode in use is that of the default image where the source names none.",
        "- A profile's measured or published power counts as it stands; a figure that a profile assumes does not "
        "count. Without any figure the energy is unknown.",
        "",
        "## Energy with predicted latency",
        "",
        f"{len(table)} rows of MLPerf Tiny whose network and device are known here: median error "
        f"{np.median(error):.0%}, inside the stated interval {np.mean(inside):.0%}."
        if table else "No row can be asked.",
        "",
        "| device | network and runtime | published mJ | predicted mJ | interval | power from |",
        "|---|---|---|---|---|---|",
        *(f"| {d} | {m} | {true:.3g} | {mid:.3g} | {low:.3g} to {high:.3g} | {basis} |"
          for d, m, true, mid, low, high, basis in table),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path)
    rows = published(parser.parse_args().evidence)
    path = data_dir("knowledge") / "prediction" / "power.csv"
    text = "\n".join([",".join(COLUMNS), *(",".join(r[name] for name in COLUMNS) for r in rows)]) + "\n"
    write_text(path, text)
    published_rows.cache_clear()
    written = page(rows)
    write_text(Path(__file__).parents[1] / "docs" / "energy.md", written)
    print("\n".join(line for line in written.splitlines() if line.startswith("- ") or "rows of" in line))


if __name__ == "__main__":
    main()
