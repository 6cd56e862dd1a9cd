"""The fitted accuracy model as the file `knowledge/prediction/accuracy_pooled.json.gz` holds it."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import KnowledgeError
from advisor.resources import data_dir

from .alike import COLUMNS, Likeness, Numbers
from .case import Case
from .levels import LEVELS, features, usual
from .spread import ELSEWHERE, KIT, NETWORK, NEW, OWN, SUPPORTS, Spread, circumstances, spread_for

_FILE = "accuracy_pooled.json.gz"


@dataclass(frozen=True)
class Published:
    """One published result as answers name it."""

    network: str
    source: str
    toolkit: str
    recipe: str
    task: str
    delta: float


@dataclass(frozen=True)
class Branch:
    """The model of one branch: named deviations, the published cases it compares with, and how far off it is."""

    name: str
    deviations: Mapping[str, Mapping[str, Mapping[str, tuple[float, ...]]]]  # level -> part -> key -> values
    like: Likeness
    alpha: Numbers  # (n,) of the likeness
    rows: tuple[Published, ...]
    recipes: NDArray[np.str_]  # of the rows
    spreads: Mapping[str, Mapping[str, Spread]]  # by support, then by circumstances
    sweeps: frozenset[str]
    seen: Mapping[str, frozenset[tuple[str, ...]]]

    @property
    def networks(self) -> int:
        """How many networks the branch was fitted on."""
        return len(self.like.index[COLUMNS.index("body")])

    def terms(self, case: Case, alike: Numbers) -> dict[str, float]:
        """Return the named terms of a case in bent points; their sum is the prediction.

        `alike` is the case's likeness to the rows, shape (n,).
        """
        parts = features(case, self.name)
        found = {"usual": usual(case, self.name)}
        for level in LEVELS[self.name]:
            for part in level.parts:
                known = self.deviations.get(level.name, {}).get(part, {})
                for key in level.keys(case):
                    if key in known:
                        value = sum(a * b for a, b in zip(known[key], parts[part], strict=True))
                        name = f"{level.name} {key}"
                        found[name] = found.get(name, 0.0) + value
        found["alike"] = float(alike @ self.alpha)
        return found

    def support(self, case: Case) -> str:
        """Return what is known of a case."""
        body, task, kit = case.network.body, case.task, case.toolkit
        if (body, task, kit, case.recipe) in self.seen[OWN]:
            return OWN
        elsewhere, known = (body, task) in self.seen[NETWORK], (kit,) in self.seen[KIT]
        return NETWORK if elsewhere and known else KIT if known else ELSEWHERE if elsewhere else NEW

    def spread(self, case: Case, predicted: float) -> Spread:
        """Return the residuals of like questions."""
        names = circumstances(case, predicted, case.toolkit in self.sweeps)
        support = self.support(case)
        for other in SUPPORTS[SUPPORTS.index(support) :] + SUPPORTS[::-1]:
            if other in self.spreads:
                return spread_for(self.spreads[other], names)
        raise ValueError(f"{self.name}: no residuals")  # the file always has some


def store_path() -> Path:
    """Where the model lies."""
    return data_dir("knowledge") / "prediction" / _FILE


@lru_cache(maxsize=1)
def fitted() -> Mapping[str, Branch]:
    """Read the shipped model."""
    try:
        content = json.loads(gzip.decompress(store_path().read_bytes()))
        return {name: branch_from(name, part) for name, part in content["branches"].items()}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise KnowledgeError(
            f"the fitted accuracy model cannot be used: {error}", where=f"knowledge/prediction/{_FILE}",
            remedy="Restore the file from the release, or fit it anew: python -m advisor.learning.accuracy_store.",
        ) from error  # fmt: skip


def branch_from(name: str, content: Mapping[str, Any]) -> Branch:
    """Return a branch from the file's own form."""
    texts = content["texts"]
    codes = np.array(content["codes"], dtype=np.int32).T
    index = tuple({text: i for i, text in enumerate(column)} for column in texts)
    like = Likeness(index, codes, np.array(content["place"]), np.array(content["weights"]), content["bell"])
    rows = tuple(Published(*row) for row in content["rows"])
    column = {c: [texts[i][code] for code in content["codes"][i]] for i, c in enumerate(COLUMNS)}
    keys = [
        (b, t, k, r.recipe) for b, t, k, r in zip(column["body"], column["task"], column["toolkit"], rows, strict=True)
    ]
    seen = {
        OWN: frozenset(keys),
        NETWORK: frozenset((b, t) for b, t, _, _ in keys),
        KIT: frozenset((k,) for _, _, k, _ in keys if k),
    }
    spreads = {
        support: {group: Spread(np.array(q), n, m) for group, (q, n, m) in groups.items()}
        for support, groups in content["spreads"].items()
    }
    return Branch(
        name, content["deviations"], like, np.array(content["alpha"]), rows, np.array([r.recipe for r in rows]),
        spreads, frozenset(content["sweeps"]), seen,
    )  # fmt: skip
