"""Agreements as a file and as a table of 80 columns."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from advisor.prediction.pooled.evidence import evidence_path

from .judging import Agreement
from .pair import ACCURACY, LATENCY, SIZE, Pair
from .settings import Judged

UNITS = {LATENCY: "times", ACCURACY: "points", SIZE: "times"}
VERDICTS = ("contradicted", "explained", "holds", "few", "silent")
_WIDTHS = (7, 9, 18, 5, 4, 4, 5, 20)
_HEAD = ("rule", "kind", "claims", "pairs", "nets", "devs", "right", "seen: 10, 50, 90 %")


def agreement_path() -> Path:
    """Where the agreements lie."""
    return evidence_path().with_name("agreement.json")


def as_data(found: Sequence[Agreement], pairs: Sequence[Pair], judged: Judged) -> dict[str, Any]:
    """Return everything with its provenance."""
    return {
        "provenance": {
            "evidence": "latency.csv.gz and accuracy.csv.gz of knowledge/evidence, sources in sources.csv there; "
            "own measurements in knowledge/prediction/measured_x86.csv",
            "method": "pairs that differ in one thing, asked with the rule engine (advisor/learning/agreement)",
            "judged": judged.model_dump(),
            "pairs": dict(sorted(Counter(pair.source for pair in pairs).items())),
        },
        "rules": {item.rule: {k: v for k, v in item.as_data().items() if k != "rule"} for item in found},
    }


def as_text(data: dict[str, Any]) -> str:
    """Write data as a file that changes line by line."""
    rules = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(data["rules"].items())]
    provenance = json.dumps(data["provenance"], indent=1)
    return '{"provenance": ' + provenance + ',\n"rules": {\n' + ",\n".join(rules) + "\n}}\n"


def summary(found: Sequence[Agreement]) -> str:
    """Count the verdicts in a sentence of lines that fit 80 columns."""
    counts = Counter(item.verdict for item in found)
    estimates = sum(item.kind == "estimate" for item in found)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    text = f"{len(found)} rules that measurements can contradict, {estimates} of them estimates: {parts}."
    return textwrap.fill(text, 79)


def table(found: Sequence[Agreement]) -> Iterator[str]:
    """Yield the lines of the table, the worst first."""
    for verdict in VERDICTS:
        members = [item for item in found if item.verdict == verdict]
        if not members:
            continue
        yield f"\n{verdict} ({len(members)})"
        if verdict == "silent":
            yield from textwrap.wrap(" ".join(item.rule for item in members), 79, break_on_hyphens=False)
            continue
        yield _line(_HEAD)
        yield from (_line(_cells(item)) for item in members)


def _cells(item: Agreement) -> tuple[str, ...]:
    return (
        item.rule, item.kind, item.claim, str(item.n), str(item.models), str(item.devices),
        f"{item.hit_rate:.0%}{'*' if item.drawn else ''}", seen(item),
    )  # fmt: skip


def seen(item: Agreement) -> str:
    """Write the quantiles of what was seen."""
    values = (item.low or 0.0, item.mid or 0.0, item.high or 0.0)
    return ", ".join(f"{value:.3g}" if abs(value) >= 1 else f"{value:.2f}" for value in values)


def _line(cells: Sequence[str]) -> str:
    left = {0, 1, 2, 7}
    parts = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, _WIDTHS, strict=True))]
    return " ".join(parts).rstrip()
