"""Names in rules that the vocabulary of facts leaves open: runtimes, devices and cores, held against the profiles."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from advisor.errors import nearest
from advisor.resources import data_dir

from .expressions import Expr, texts_of
from .yaml_reader import read_mapping


def known_names(folder: Path | None = None) -> Mapping[str, frozenset[str]]:
    """Return the names that profiles use for `rt.name`, `dev.id` and `dev.cores`."""
    root = folder or data_dir("profiles")
    vocabulary, cores = root / "_vocabulary.yaml", root / "_cores.yaml"
    runtimes = read_mapping(vocabulary).get("runtimes", {}) if vocabulary.is_file() else {}
    devices = {path.stem for path in root.glob("*/*.yaml") if not path.parent.name.startswith("_")}
    return {
        "rt.name": frozenset(runtimes),
        "dev.id": frozenset(devices | {"host"}),
        "dev.cores": frozenset(name.lower() for name in (read_mapping(cores) if cores.is_file() else {})),
    }


def strangers(expr: Expr, known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Describe every text that a condition compares with such a fact although no profile knows it."""
    for part in expr.operands:
        yield from strangers(part, known)
    for fact, other in (expr.operands, expr.operands[::-1]) if len(expr.operands) == 2 else ():
        legal = known.get(fact.text) if fact.kind == "fact" else None
        if legal:
            for name in sorted(texts_of(other) - legal):
                yield f"{fact.text} is {name!r} in no profile. {nearest(name, legal)}".rstrip()
