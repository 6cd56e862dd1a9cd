"""The page of the sweep: what was done and checked, counts, figures, and reasons. Used by benchmarks/sweep.py."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

Found = dict[str, dict[str, Any]]
TECHNIQUES = {"int8": "static int8", "pruned": "30 % structured pruning", "low_rank": "low rank"}
_NAMES = {"svd": "SVD", "spatial_svd": "spatial", "tucker2": "Tucker-2"}


def summary(found: Found) -> Iterator[str]:
    """Yield a line a technique: how many networks it works on, refuses, or fails on."""
    for technique, title in TECHNIQUES.items():
        outcomes = [record[technique] for record in found.values() if technique in record]
        states = Counter(outcome["state"] for outcome in outcomes)
        works = [outcome for outcome in outcomes if outcome["state"] == "works"]
        yield (
            f"| {title} | {len(outcomes)} | {states['works']} | {states['refused']} | {states['failed']} | "
            f"{_checked(technique, works)} |"
        )


def _checked(technique: str, works: list[dict[str, Any]]) -> str:
    if not works:
        return "-"
    if technique == "int8":
        ratios = [outcome["sqnr_db"] for outcome in works]
        far = sum(ratio < FAR for ratio in ratios)
        kernels = median(outcome["kernels_db"] for outcome in works)
        less = median(outcome["carried_db"] - outcome["sqnr_db"] for outcome in works)
        return (
            f"median {median(ratios):.0f} dB, {far} below {FAR:.0f} dB; {less:.0f} dB below that of images in 8 bits; "
            f"kernels {kernels:.0f} dB"
        )
    results = [result for outcome in works for result in outcome["methods"].values()]
    if technique == "pruned":
        equal = sum(result["equal"] for result in results)
        return f"{equal} of {len(results)} cuts equal the original with the rest silent; the others run"
    return f"{len(results)} factorizations equal their kernels multiplied out, and the original at full rank"


FAR = 10.0  # decibels; below, noise is more than a third of the signal


def rows(found: Found, models: dict[str, tuple[str, int]]) -> Iterator[str]:
    """Yield the lines of the table."""
    for name, (family, _) in models.items():
        if name in found:
            record = found[name]
            size = f"{record['macs'] / 1e6:,.0f} | {record['side']}" if "macs" in record else "- | -"
            cells = (_cell(record, technique) for technique in TECHNIQUES)
            yield f"| {family} | {name} | {size} | " + " | ".join(cells) + " |"


def _cell(record: dict[str, Any], technique: str) -> str:
    outcome = record.get(technique, {"state": "not run"})
    if outcome["state"] != "works":
        return f"**{outcome['state']}**" if outcome["state"] == "failed" else str(outcome["state"])
    if technique == "int8":
        figures = " / ".join(f"{outcome[key]:.0f}" for key in ("sqnr_db", "carried_db", "kernels_db"))
        return f"{figures} dB, {outcome['integer_kernels']}/{outcome['kernels']}, {outcome['size']:.2f}"
    if technique == "pruned":
        return "; ".join(
            f"{what} {result['macs_kept']:.0%} {'equal' if result['equal'] else 'runs'}"
            for what, result in outcome["methods"].items()
        )
    return "; ".join(
        f"{_NAMES[method]} {result['layers']}: {result['macs_kept']:.0%}, {result['energy_lost']:.0%}"
        for method, result in outcome["methods"].items()
    )


def notes(found: Found) -> Iterator[str]:
    """Yield the networks that were refused or failed, with the reasons, equal reasons together."""
    by_reason: dict[tuple[str, str, str], list[str]] = {}
    for name, record in found.items():
        for technique, title in TECHNIQUES.items():
            outcome = record.get(technique, {"state": "not run"})
            if outcome["state"] in ("refused", "failed"):
                by_reason.setdefault((title, outcome["state"], _plain(outcome["why"])), []).append(name)
    for (title, state, why), names in sorted(by_reason.items()):
        yield f"| {title} | {state} | {', '.join(names)} | {why} |"


def unequal(found: Found) -> Iterator[str]:
    """Yield the cuts whose outputs could not be held against those of the original, by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, record in found.items():
        for what, result in record.get("pruned", {}).get("methods", {}).items():
            if not result["equal"]:
                by_reason.setdefault(_general(result["why"]), []).append(f"{name} ({what})")
    for why, names in sorted(by_reason.items()):
        yield f"| {why} | {', '.join(names)} |"


def _general(why: str) -> str:
    """Say a reason without the layer that it was found at."""
    return re.sub(r"^\S+ is (gone|no part)", r"a tensor is \1", why)


def _plain(why: str) -> str:
    """Keep what was wrong, without remedies that the command line adds, in one table cell."""
    parts: Iterable[str] = (re.split(r"\. (?=[A-Z])", part)[0] for part in why.split(" / "))
    return " / ".join(dict.fromkeys(parts)).replace("|", "\\|")


PAGE = """# Every family through three techniques

Written by `python benchmarks/sweep.py` ({day}). Do not edit.

{networks} networks of timm, the smallest of every family that matters, go through static int8, 30 % structured pruning
and low-rank factorization by the code that `advisor apply` runs. A technique works on a network, and what it made is
held against the float network, or it refuses with a reason. Anything else is a defect and says *failed*.

| technique | networks | works | refused | failed | outputs |
|---|---:|---:|---:|---:|---|
{summary}

Weights are random, but every layer matters: norms, scales and biases have values of their own, batch norms fit what
comes to them, and images are random blobs. Accuracy has no meaning here; arithmetic has.

- **Static int8** (per-channel weights, U8S8, min-max ranges of 64 images): the file has integer kernels, as counted in
  the graph that onnxruntime executes, and finite outputs of the right shape. The figures: signal to noise of the
  outputs against the float file's on 8 other images, in decibels, the mean over images not taken for signal; the same
  for the float network when nothing but its images is rounded to 8 bits; the same for the integer kernels against the
  same file computed node by node in float; integer kernels of all kernels; size against the float file. Networks of
  random weights carry small differences on and magnify them, where trained ones forget them: the second figure says how
  much, and the first and third are to be read against it.
- **Pruning** (30 % of channels in every group, or of heads and hidden units; rounded to multiples of 4): MACs and
  parameters are those of the preview, the network exports, and the file answers like the module. *Equal*: the outputs
  are those of the original in which all that was cut is zero, to a thousandth. *Runs*: that comparison is not possible
  (last table), and only the rest was checked. The percentage is that of MACs kept.
- **Low rank** (half of the break-even rank, by every method that finds layers): MACs and parameters are those of the
  preview. The outputs are those of the original with the kernels that the chains of thinner layers amount to, read off
  their answers to unit impulses; these kernels lack as much energy as was reported; and chains of full rank answer like
  the original. The figures: layers, MACs kept, energy lost by a kernel on average. Random kernels have no low rank: the
  loss is what a trained network would lose at worst.

| family | network | MMACs | pixels | static int8 | pruning | low rank |
|---|---|---:|---:|---|---|---|
{rows}

## Refused or failed

| technique | state | networks | reason |
|---|---|---|---|
{notes}

## Cuts that could not be compared

| why | networks |
|---|---|
{unequal}
"""
