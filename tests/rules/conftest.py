"""A small vocabulary and a writer of rule files, so that the engine is tested apart from the shipped knowledge."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.rules.load import RuleBase, collect, load_rules
from advisor.rules.vocabulary import Vocabulary, load_vocabulary

FACTS = """
m.a: {type: number, about: a number, from: derived}
m.b: {type: number, unit: bytes, about: bytes, from: derived}
m.share: {type: number, range: [0, 1], about: a share, from: derived}
m.flag: {type: bool, about: a flag, from: derived}
m.other: {type: bool, about: another flag, from: asked}
m.kind: {type: string, values: [cpu, gpu, npu], about: a closed text, from: derived}
m.free: {type: string, about: an open text, from: derived}
m.tags: {type: set, values: [int8, fp16, fp32], about: a closed set, from: derived}
m.more: {type: set, about: an open set, from: derived}
plan.x: {type: number, about: a number of the plan, from: derived}
"""

RULE: dict[str, Any] = {
    "id": "HW-01",
    "title": "A rule",
    "group": "hardware",
    "kind": "veto",
    "origin": "X",
    "certainty": "strong",
    "when": "m.a > 1",
    "reason": "m.a is {m.a}",
    "why_sure": "arithmetic",
    "guards": "nothing",
    "sources": [{"ref": "a page"}],
    "cases": {"fires": {"m.a": 2}, "silent": {"m.a": 0}},
}


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("facts") / "facts.yaml"
    path.write_text(FACTS)
    return load_vocabulary(path)


class Writer:
    """Writes rule files into a folder and loads it with the small vocabulary."""

    def __init__(self, root: Path, words: Vocabulary) -> None:
        self.root, self.words = root, words

    def rule(self, id: str = "HW-01", *, file: str = "", group: str = "hardware", **changes: Any) -> Path:
        folder = self.root / group
        folder.mkdir(parents=True, exist_ok=True)
        record = RULE | {"id": id, "group": group} | changes
        path = folder / (file or f"{id}-a-rule.yaml")
        path.write_text(yaml.safe_dump({k: v for k, v in record.items() if v is not None}, sort_keys=False))
        return path

    def text(self, name: str, text: str, group: str = "hardware") -> Path:
        folder = self.root / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        return folder / name

    def load(self, *extra: Path) -> RuleBase:
        return load_rules(*extra, root=self.root, vocabulary=self.words)

    def collect(self) -> RuleBase:
        return collect(root=self.root, vocabulary=self.words)[0]


@pytest.fixture
def writer(tmp_path: Path, words: Vocabulary) -> Writer:
    (tmp_path / "rules").mkdir()
    return Writer(tmp_path / "rules", words)
