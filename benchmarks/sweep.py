"""Static int8, 30 % structured pruning and low rank on the smallest network of every timm family.

    python benchmarks/sweep.py [--models NAME ...] [--only int8 pruned low_rank] [--redo failed] [--jobs 2]

Writes docs/sweep.md. Each network runs in a process of its own with limits on time and memory, so that none can stop
the others. What was found is appended to a file at once (`--kept`) and not looked for again; `--redo` names the states
that are, `--page` runs nothing. What is checked is described on the page.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sweep_page import PAGE, notes, rows, summary, unequal

ROOT = Path(__file__).resolve().parents[1]
TECHNIQUES = ("int8", "pruned", "low_rank")
SECONDS = 900  # for one network
BYTES = 12 << 30
_MARK = "RESULT "


def main() -> None:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", help="timm names; all of the list unless given")
    parser.add_argument("--only", nargs="+", choices=TECHNIQUES, default=list(TECHNIQUES))
    parser.add_argument("--redo", nargs="*", default=[], help="states to run again: works, refused, failed, all")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "sweep.jsonl")
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(_MARK + json.dumps(_one(options.one, tuple(options.only))))
        return
    from sweep_models import MODELS

    names = options.models or list(MODELS)
    if not options.page:
        options.kept.parent.mkdir(parents=True, exist_ok=True)
        found = results(options.kept)
        wanted = {name: _missing(found.get(name, {}), options.only, options.redo) for name in names}
        with ThreadPoolExecutor(options.jobs) as pool:
            for name, technique in wanted.items():
                if technique:
                    pool.submit(_run, name, technique, options.kept)
    found = results(options.kept)
    table = "\n".join(rows(found, MODELS))
    if not options.models:
        (ROOT / "docs/sweep.md").write_text(page(found, MODELS), encoding="utf-8")
    print(table)


def results(kept: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each network; later lines replace earlier ones technique by technique."""
    found: dict[str, dict[str, Any]] = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else ():
        record = json.loads(line)
        found.setdefault(record.pop("name"), {}).update(record)
    return found


def _missing(found: dict[str, Any], only: list[str], redo: list[str]) -> list[str]:
    return [t for t in only if t not in found or "all" in redo or found[t]["state"] in redo]


def _one(name: str, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Check one network in this process."""
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    warnings.simplefilter("ignore")
    from artefacts import quiet
    from sweep_checks import check

    quiet()
    return check(name, wanted)


def _run(name: str, wanted: list[str], kept: Path) -> None:
    """Check one network in a process of its own and note what was found."""
    command = [sys.executable, __file__, "--one", name, "--only", *wanted]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = datetime.now(UTC)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, env=environment, cwd=ROOT, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        found = json.loads(lines[-1].removeprefix(_MARK)) if lines else _all(wanted, last)
    except subprocess.TimeoutExpired:
        found = _all(wanted, f"not done after {SECONDS} seconds")
    seconds = round((datetime.now(UTC) - began).total_seconds())
    with kept.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name, **found, "seconds": seconds}) + "\n")
    print(name, seconds, "s:", ", ".join(f"{t} {found[t]['state']}" for t in wanted), file=sys.stderr, flush=True)


def _all(wanted: list[str], why: str) -> dict[str, Any]:
    return {technique: {"state": "failed", "why": why} for technique in wanted}


def page(found: dict[str, dict[str, Any]], models: dict[str, tuple[str, int]]) -> str:
    """Return docs/sweep.md."""
    found = {name: found[name] for name in models if name in found}
    parts = {"summary": summary(found), "rows": rows(found, models), "notes": notes(found), "unequal": unequal(found)}
    lines = {name: "\n".join(part) for name, part in parts.items()}
    return PAGE.format(day=datetime.now(UTC).date(), networks=len(found), **lines)


if __name__ == "__main__":
    main()
