"""How well a calibration of this machine predicts networks that it has not seen; writes docs/host.md and docs/host.svg.

    python benchmarks/host.py FOLDER [--threads 1 2] [--sessions 3] [--report]

FOLDER keeps the calibration's samples and the times of the networks, so that the run (half an hour on two quiet cores)
can be resumed; with --report no network is timed. Nothing but the calibration set is fitted to.
"""

import argparse
import pickle
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from host_baselines import STEPS, Baseline, forests, macs_only, roofline
from host_plot import scatter
from host_truth import PRUNED, RATIO, keys, known, measure, merged, workloads

from advisor.calibration.artefacts import prepared
from advisor.calibration.collect import Collected, collect
from advisor.calibration.run import condensed, usable_threads
from advisor.calibration.timer import HostTimer
from advisor.devices import detect_host
from advisor.prediction.calibrated import Calibrated, predict, ratio_spread
from advisor.prediction.query import Query
from advisor.progress import Silent
from advisor.schema import Device, Plan, Workload
from advisor.schema.calibration import Calibration

DOCS = Path(__file__).resolve().parent.parent / "docs"


@dataclass(frozen=True)
class Point:
    """One network in one form with its time, and what each predictor says of it."""

    key: str
    form: str
    threads: int
    measured: float
    low: float
    predicted: float
    high: float
    others: dict[str, float | None]

    @property
    def error(self) -> float:
        """Predicted over measured, minus 1."""
        return self.predicted / self.measured - 1.0


def samples(folder: Path, threads: list[int], sessions: int) -> Collected:
    """Return the calibration's samples: what the folder holds, after timing the sessions that it lacks."""
    paths = [folder / f"samples-{i}.pickle" for i in range(sessions)]
    if not all(path.is_file() for path in paths):
        made = [a for _, artefacts in prepared(False, 2) for a in artefacts]
        for path in paths:
            if not path.is_file():
                path.write_bytes(pickle.dumps(collect(made, HostTimer(), threads, Silent())))
    return merged([pickle.loads(path.read_bytes()) for path in paths])


def asked(network: Workload, form: str, threads: int, device: Device) -> Query:
    """Return the question that `recommend` would ask."""
    return Query(Plan(steps=STEPS[form], runtime="onnxruntime", threads=threads), network, network, device)


def points(folder: Path, calibration: Calibration, found: Collected) -> list[Point]:
    """Predict every network that was timed."""
    device = detect_host().model_copy(update={"calibration": calibration})
    others: dict[str, Baseline] = {
        "MACs alone": macs_only(found.samples), "roofline of the datasheet": roofline(),
        "random forest per operation": forests(found.samples),
    }  # fmt: skip
    times, result = known(folder), []
    timed = {table.threads for table in calibration.tables}
    for key in keys():
        if f"{key}|fp32|1" not in times:
            continue
        for form, network in workloads(folder, key).items():
            for threads in sorted(timed):
                rounds = times.get(f"{key}|{form}|{threads}")
                if rounds is None:
                    continue
                mine = predict(asked(network, form, threads, device), calibration)
                told = {name: ask(form, threads, network) for name, ask in others.items()}
                result.append(Point(key, form, threads, float(np.median(rounds)), mine.low, mine.mid, mine.high, told))
    return result


def row(name: str, measured: np.ndarray, predicted: np.ndarray, inside: str) -> str:
    """Return a line of the table of predictors."""
    error = predicted / measured - 1.0
    ranks = np.corrcoef(measured.argsort().argsort(), predicted.argsort().argsort())[0, 1]
    return (
        f"| {name} | {np.abs(error).mean():.1%} | {np.median(error):+.1%} | {(np.abs(error) <= 0.1).mean():.0%} | "
        f"{inside} | {ranks:.3f} |"
    )


def tables(unseen: list[Point]) -> list[str]:
    """Return a table of predictors for each form and number of threads."""
    lines = []
    groups: dict[tuple[str, int], list[Point]] = defaultdict(list)
    for point in unseen:
        groups[point.form, point.threads].append(point)
    for (form, threads), mine in sorted(groups.items(), key=lambda item: (item[0][1], list(STEPS).index(item[0][0]))):
        measured = np.array([p.measured for p in mine])
        inside = f"{np.mean([p.low <= p.measured <= p.high for p in mine]):.0%}"
        width = f"{np.median([p.high / p.predicted for p in mine]):.2f}"
        lines += [f"### {form.replace('_', ' ')}, {threads} thread{'s' * (threads > 1)}, {len(mine)} networks", ""]
        lines += [
            "| predictor | mean error | median bias | within 10 % | inside the 80 % interval | rank correlation |",
            "|---|---|---|---|---|---|",
            row("calibrated", measured, np.array([p.predicted for p in mine]), f"{inside} (x {width})"),
        ]
        for name in mine[0].others:
            told = [p.others[name] for p in mine]
            if None not in told:
                lines.append(row(name, measured, np.array(told, dtype=float), "-"))
        lines.append("")
    return lines


def ratios(every: list[Point], folder: Path, calibration: Calibration) -> list[str]:
    """Return the table of pruned networks."""
    device = detect_host().model_copy(update={"calibration": calibration})
    by = {(p.key, p.form, p.threads): p for p in every}
    lines = [
        "| network | variant | form | threads | MACs | measured | predicted | error | inside |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for base, variants in PRUNED.items():
        for variant in variants:
            for form in STEPS:
                for threads in (1, 2):
                    left, right = by.get((base, form, threads)), by.get((f"{base}-{variant}", form, threads))
                    if left is None or right is None:
                        continue
                    plain, cut = workloads(folder, base)[form], workloads(folder, f"{base}-{variant}")[form]
                    spread = ratio_spread(asked(plain, form, threads, device), asked(cut, form, threads, device)) or 1.0
                    measured, predicted = right.measured / left.measured, right.predicted / left.predicted
                    inside = predicted / spread <= measured <= predicted * spread
                    lines.append(
                        f"| {base} | {variant} | {form.replace('_', ' ')} | {threads} | {cut.macs / plain.macs:.2f} | "
                        f"{measured:.3f} | {predicted:.3f} | {predicted / measured - 1:+.1%} | "
                        f"{'yes' if inside else 'no'} |"
                    )
    return lines


def page(
    every: list[Point], unseen: list[Point], folder: Path, calibration: Calibration, asked_for: argparse.Namespace
) -> str:
    """Return docs/host.md."""
    spread = ", ".join(f"{n} thread{'s' * (n > 1)} {v:.2f}" for n, v in calibration.clock_spread.items())
    alone = [] if len(calibration.tables) > 1 else [_ONE_THREAD, ""]
    facts = (
        f"- CPU: {calibration.cpu}; {calibration.runtime} {calibration.runtime_version}",
        f"- {calibration.samples} timings in the calibration, medians of {asked_for.sessions} sessions",
        f"- a reference network varied by a factor of {spread}",
        "  (90 % over 10 % quantile); one thread by CPU time, several by wall clock",
        *(f"- {remark}" for remark in calibration.remarks),
        f"- {len({p.key for p in unseen})} networks, of which none was fitted to",
        *([f"- {asked_for.note}"] if asked_for.note else []),
    )
    parts = [_HEAD, *facts, "", *alone, _BASELINES, *tables(unseen), "![predicted against measured](host.svg)", ""]
    parts += [_PRUNED, *ratios(every, folder, calibration), "", *networks(unseen), ""]
    return "\n".join(parts)


def networks(unseen: list[Point]) -> list[str]:
    """Return the table of every network's error with one thread, the largest float error first."""
    forms = list(STEPS)
    by = {(p.key, p.form): p for p in unseen if p.threads == 1}
    names = sorted({p.key for p in unseen}, key=lambda key: -abs(by[key, "fp32"].error))
    lines = ["## Every network, one thread", "", "| network | measured fp32 ms | fp32 | int8 | int8 dynamic |"]
    lines.append("|---|---|---|---|---|")
    for name in names:
        errors = (f"{by[name, form].error:+.0%}" if (name, form) in by else "-" for form in forms)
        lines.append(f"| {name} | {by[name, 'fp32'].measured:.2f} | {' | '.join(errors)} |")
    return lines


_HEAD = """# Latency on a calibrated machine

`advisor devices calibrate` times stacks of layers, blocks and small networks on this machine and fits the cost of every
kind of operation to them. `benchmarks/host.py` wrote this page: networks that no calibration has seen, predicted and
timed. No coefficient was fitted to them, but kinds of operations were told apart more finely after looking at where
earlier versions were off on some of them: a new network may fare a little worse. Static int8 is u8s8 per channel;
dynamic int8 covers products with constant weights only. A reference network ran beside every round, and times are
scaled to the machine's usual speed.
"""
_ONE_THREAD = """Several threads were not judged: other work shared the cores when these times were taken, and the
wall clock then measures that work too."""
_BASELINES = """The forest is trained on the same single operations, in the manner of nn-Meter; MACs alone are
scaled by the real networks of the calibration set; the roofline knows only what the system tells about this machine.
"""
_PRUNED = f"""## Ratios of pruned networks

Channels pruned by {RATIO:.0%} with widths rounded to 1 (p1), 8 or 16, and MLPs of a transformer cut from 1536 to
1075 or 1072 hidden units: time over that of the whole network. Without rounding, kernels for blocks of channels are
lost. `inside` tells whether the predicted interval of the ratio held.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, usable_threads()}))
    parser.add_argument("--sessions", type=int, default=1, help="times to calibrate; medians steady a shared machine")
    parser.add_argument(
        "--report", action="store_true", help="time no network, write the page from what the folder holds"
    )
    parser.add_argument("--note", default="", help="how the times of this page were taken, in a sentence")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    found = samples(arguments.folder, arguments.threads, arguments.sessions)
    calibration = condensed(found, sorted({s.threads for s in found.samples}), HostTimer().describe())
    if not arguments.report:
        for key in measure(arguments.folder, found.reference_ms, tuple(arguments.threads)):
            print(key, flush=True)
    every = points(arguments.folder, calibration, found)
    cut = {key for base, variants in PRUNED.items() for key in (*(f"{base}-{v}" for v in variants),)}
    seen = {sample.probe for sample in found.samples}
    unseen = [p for p in every if p.key not in cut and p.key.partition("@")[0] not in seen]
    (DOCS / "host.md").write_text(page(every, unseen, arguments.folder, calibration, arguments))
    scatter([(p.form, p.measured, p.predicted) for p in unseen if p.threads == 1], DOCS / "host.svg",
            f"{Calibrated.name}: {len({p.key for p in unseen})} networks not seen, 1 thread")  # fmt: skip
    print("\n".join([*tables(unseen), *ratios(every, arguments.folder, calibration)]))


if __name__ == "__main__":
    main()
