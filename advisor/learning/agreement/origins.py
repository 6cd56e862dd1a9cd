"""Whether a rule was drawn from the measurements that it is held against."""

import csv
import re
from collections.abc import Iterable
from functools import cache

from advisor.prediction.pooled.evidence import evidence_path
from advisor.schema import Rule

# How rules cite summaries of the shipped tables, and the own measurements of which measured_x86.csv is the record.
_SUMMARIES = re.compile(r"^(accuracy|latency) evidence|^own measurement", re.IGNORECASE)


def drawn_from(rule: Rule, sources: Iterable[str]) -> bool:
    """Whether a rule cites one of these sources by id or repository, or a summary of them."""
    names = {name.lower() for source in sources for name in (source, _repositories().get(source, "")) if name}
    refs = [source.ref.lower() for source in rule.sources]
    return any(_SUMMARIES.search(ref) or any(_says(ref, name) for name in names) for ref in refs)


def _says(ref: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", ref) is not None


@cache
def _repositories() -> dict[str, str]:
    with evidence_path().with_name("sources.csv").open(newline="", encoding="utf-8") as file:
        return {row["source"]: row["repository"].partition(" ")[0] for row in csv.DictReader(file)}
