"""The room `onboard` stands behind verification: it imports rooms before it, and none of those imports it."""

import ast
from pathlib import Path

import pytest

import advisor

ROOT = Path(advisor.__file__).parent
BEFORE = (
    "schema", "loading", "profiling", "devices", "facts", "techniques", "prediction", "rules", "ranking", "execution",
    "runtimes", "measurement", "calibration", "verification",
)  # fmt: skip
SHARED = ("errors", "units", "progress", "resources", "digests", "writing")


def imported(folder: Path) -> set[str]:
    """Return the rooms that a folder's files import, lazily or not."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                parts = (node.module or "").split(".")
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                found |= set(names) if parts[0] == "advisor" else set()
            elif isinstance(node, ast.Import):
                found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("advisor.")}
    return found


def test_it_imports_only_what_stands_before_it():
    assert imported(ROOT / "onboard") <= {*BEFORE, *SHARED}


@pytest.mark.parametrize("room", BEFORE)
def test_no_room_before_imports_it(room):
    assert "onboard" not in imported(ROOT / room)


def test_what_runs_on_the_board_imports_nothing_of_advisor():
    assert imported(ROOT / "onboard" / "board") == set()
