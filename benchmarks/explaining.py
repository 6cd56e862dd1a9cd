"""Write docs/explaining.md, whose outputs are those of the commands it shows: `python benchmarks/explaining.py`."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from advisor.writing import write_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explaining.md"
PLAN = ("recommend", "timm:resnet18", "--target", "raspberry-pi-4b", "-o", "plan.json")
HEAD = """# Questioning a recommendation

A stored recommendation holds what it was decided from: the facts, every plan with its predicted figures, what each rule
said of it, and the versions of the knowledge, the profile and the program. `advisor explain` asks it. The outputs below
are real and shortened where `...` stands; `python benchmarks/explaining.py` writes this page anew. Every question has
`--json`.
"""


@dataclass(frozen=True)
class Shown:
    """A question: heading, what is to be said of it, the command, and as many lines of its output."""

    title: str
    text: str
    command: tuple[str, ...]
    lines: int


QUESTIONS = (
    Shown("Why", """
        Without an option, or with `--why N` for plan N: what the score is made of, and the rules that speak,
        each with what it adds, the facts that made it true and what it rests on. Rules that rest on the same
        evidence count once. `--trace` shows every part of each condition instead.
    """, (), 34),
    Shown("Why not", """
        By number, by technique, with settings, and where it would run: `static_int8`,
        `static_int8:method=percentile`, `prune_channels+static_int8`, `half@tensorrt/gpu`, `@ncnn` for the
        runtime alone. Told are the rule with the clause that fails, its value and the one that would pass; a
        limit with how far it is missed; else what decides. A plan that was never made tells what was lacking.
    """, ("--why-not", "half"), 8),
    Shown("", "", ("--why-not", "prune_transformer"), 6),
    Shown("What if", """
        One or more changes: limits (`max_latency=50ms`, `max_drop=none`), `goal`, `budget`, `runtime`,
        `threads`, `batch`, `power_mode`, `data=DIR`, `target=DEVICE`, or a fact (`data.calib_n=50`,
        `dev.isa=neon,dotprod`, `unknown` takes one back). What plans or figures depend on is decided anew
        with the model; the rest on the stored plans. A changed fact of the model or the device reaches the
        rules alone, and the answer says so.
    """, ("--what-if", "max_drop=0.1"), 21),
    Shown("What would change the winner", """
        `--counterfactual` looks for the smallest change of one thing: each limit, set or not; each fact at
        the values where a rule turns, computed from the conditions; the goal and the budget; the power modes
        and the most similar devices. Each is confirmed by deciding again with it and just short of it, and
        can be asked with `--what-if`. How sizes compare is stated under `changes` in
        `knowledge/ranking.yaml`.
    """, ("--counterfactual",), 46),
    Shown("Does it still hold", """
        `--replay` decides again twice: on the stored facts with the present rules, and from the start. It
        exits with 0 if winner, ranking, rules, limits and figures are the same, with 1 if not, and names the
        rules behind the difference. Plans stored before version 2 do not hold what each rule said; for them,
        changed rules cannot be named.
    """,
          ("--replay",), 20),
)  # fmt: skip
TAIL = """## What to measure next

A recommendation ends with the facts that are not known and that rules wait for. Those that could change the winner come
first, with the value at which it would, and with the command or the place that settles them.

## From Python

```python
answer = advisor.recommend("timm:resnet18", target="raspberry-pi-4b")
advisor.explain(answer, why_not="half").answer
advisor.explain(answer, what_if=("max_drop=0.1",)).after.recommended
advisor.counterfactual(answer).counterfactuals[0].change
advisor.replay(answer).same
```
"""


def asked(folder: str, *arguments: str) -> str:
    """Return what the command line prints at 80 columns without colour."""
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    run = subprocess.run(
        [sys.executable, "-m", "advisor", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode > 1:
        raise SystemExit(run.stderr)
    return run.stdout.rstrip()


def _wrapped(text: str) -> str:
    return fill(" ".join(text.split()), 120, break_on_hyphens=False, break_long_words=False)


def section(folder: str, shown: Shown) -> str:
    """Return one question with its answer."""
    output = asked(folder, "explain", "plan.json", *shown.command).splitlines()
    kept = [*output[: shown.lines], *(["..."] if len(output) > shown.lines else [])]
    block = "\n".join(("```", f"$ advisor explain plan.json {' '.join(shown.command)}".rstrip(), *kept, "```"))
    return "\n\n".join(
        part for part in (f"## {shown.title}" if shown.title else "", _wrapped(shown.text), block) if part
    )


def main() -> None:
    """Make a plan, ask it everything and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        asked(folder, *PLAN)
        first = f"The plan that is questioned here:\n\n    advisor {' '.join(PLAN)}"
        write_text(PAGE, "\n\n".join((HEAD.rstrip(), first, *(section(folder, q) for q in QUESTIONS), TAIL)))
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
