from pathlib import Path

import pytest
import yaml

from advisor.rules import load_rules

_RULE = {
    "title": "A rule", "group": "test", "kind": "veto", "origin": "X", "certainty": "strong", "reason": "it says so",
    "sources": [{"ref": "a page"}], "cases": {"fires": {"data.calib_n": 1}, "silent": {"data.calib_n": 1000}},
}  # fmt: skip


@pytest.fixture
def rules_of(tmp_path: Path):
    """Load rules given as records in the shipped vocabulary; each needs `id` and `when`."""

    def made(*records: dict, name: str = "rules"):
        root = tmp_path / name
        (root / "test").mkdir(parents=True)
        for record in records:
            path = root / "test" / f"{record['id']}-a-rule.yaml"
            path.write_text(yaml.safe_dump(_RULE | record, sort_keys=False))
        return load_rules(root=root)

    return made
