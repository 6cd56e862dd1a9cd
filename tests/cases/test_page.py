"""docs/decisions.md says what the table says."""

import runpy
from pathlib import Path

from .table import PATH, entries

ROOT = Path(__file__).resolve().parents[2]
PAGE = runpy.run_path(str(ROOT / "benchmarks" / "decisions.py"))


def test_the_page_of_decisions_is_up_to_date():
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert page == PAGE["render"](PATH.read_text(encoding="utf-8")), "run `python benchmarks/decisions.py`"


def test_every_situation_has_a_row_with_its_argument():
    rows = [line for line in PAGE["render"](PATH.read_text(encoding="utf-8")).splitlines() if line.startswith("| ")]
    assert len(rows) - sum(row == "| situation | advice | why |" for row in rows) == len(entries())
    assert all(entry["why"][1:] in " ".join(rows) for entry in entries())
