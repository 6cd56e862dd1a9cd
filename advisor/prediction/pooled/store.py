"""The fitted model as it lies in `knowledge/prediction/pooled.json.gz`, written by `make fit`."""

import gzip
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import KnowledgeError
from advisor.resources import data_dir

from .setup import Rates

Numbers = NDArray[np.float64]
WHOLE = "unit"  # the key under which a unit's own factors stand beside those of its ways


@dataclass(frozen=True)
class Interval:
    """Held-out errors of a kind of question: tenth percentile, middle and ninetieth of true over predicted; number."""

    low: float
    mid: float
    high: float
    n: int


@dataclass(frozen=True)
class UnitModel:
    """Everything fitted for one kind of unit (cpu, gpu, npu, mcu).

    `factors`: logarithms on nominal costs by way; `waves`: the smooth part's frequencies and phases; `deviations`: by
    level, part and key; `intervals`: by support and way, '' for all ways.
    """

    usual: dict[str, Rates]
    factors: dict[str, Numbers]
    waves: Numbers
    deviations: dict[str, dict[str, dict[str, Numbers]]]
    intervals: dict[str, dict[str, Interval]]

    def seen(self, level: str, key: str | None) -> bool:
        """Whether a group was measured."""
        return key is not None and any(key in keys for keys in self.deviations.get(level, {}).values())

    @cached_property
    def devices(self) -> Counter[str]:
        """How many devices were measured in each way ('ncnn|cpu|int8')."""
        keys = self.deviations.get("device precision", {}).get("one", {})
        return Counter(key.partition("|")[2] for key in keys)

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Ways that share no network with the precision most measured in their runtime, and that precision."""
        measured: dict[str, set[str]] = defaultdict(set)
        for key in self.deviations.get("network way", {}).get("one", {}):
            network, _, way = key.partition("|")
            measured[way].add(network)
        found = {}
        for way, networks in measured.items():
            place = way.rpartition("|")[0]
            most = max((w for w in measured if w.rpartition("|")[0] == place), key=lambda w: (len(measured[w]), w))
            if not networks & measured[most]:
                found[way] = most.rpartition("|")[2]
        return found

    @cached_property
    def networks(self) -> Counter[str]:
        """About how many networks were measured in each way on each class of unit ('ncnn|cpu|int8|arm-v8-big')."""
        keys = self.deviations.get("network class", {}).get("one", {})
        return Counter(key.partition("|")[2] for key in keys)


@dataclass(frozen=True)
class Store:
    """All units, and where the model comes from."""

    units: dict[str, UnitModel]
    guess: Numbers  # of log(MACs) from log(parameters) and log(pixels)
    provenance: dict[str, Any]


def store_path() -> Path:
    """Where the fitted model lies."""
    return data_dir("knowledge") / "prediction" / "pooled.json.gz"


@lru_cache(maxsize=1)
def pooled() -> Store:
    """Read the shipped model."""
    return read_store(store_path())


def read_store(path: Path) -> Store:
    """Read a model that `make fit` wrote."""
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        return Store(
            {name: _unit(content) for name, content in data["units"].items()},
            np.array(data["guess"]), data["provenance"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KnowledgeError(
            f"the fitted latencies cannot be used: {error}", where=f"knowledge/prediction/{path.name}",
            remedy="Restore the file from the release, or run `make fit`.",
        ) from error  # fmt: skip


def _unit(content: dict[str, Any]) -> UnitModel:
    return UnitModel(
        usual={name: Rates(*values) for name, values in content["usual"].items()},
        factors={name: np.array(values) for name, values in content["factors"].items()},
        waves=np.array(content["waves"]),
        deviations={
            level: {part: {key: np.array(v) for key, v in keys.items()} for part, keys in parts.items()}
            for level, parts in content["deviations"].items()
        },
        intervals={
            support: {way: Interval(*values) for way, values in ways.items()}
            for support, ways in content["intervals"].items()
        },
    )
