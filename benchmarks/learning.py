"""What outcomes teach, and what wrong ones do: a simulated study and published measurements; writes docs/learning.md.

    python benchmarks/learning.py

Seeded; about a minute on one core, most of it for profiling the published networks once.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from learning_published import FEWEST, Found, rows
from learning_published import study as published_study
from learning_simulated import DEVICES, POISONED, SCENARIOS, SPREAD, TESTS, Scenario, Spotted, study

from advisor.learning.outcomes.doubts import CONFIRMED_BY, CONFIRMED_SHARE, FAR
from advisor.learning.outcomes.lessons import LATEST
from advisor.learning.outcomes.shrinkage import (
    FORM,
    NETWORK,
    OTHER_THREADS,
    REST,
    RUNTIME,
    SCALE_STRENGTH,
    TAILS,
)
from advisor.progress import tracked
from advisor.writing import write_text

PAGE = Path(__file__).resolve().parent.parent / "docs" / "learning.md"
_WIDTH = 120

INTRO = f"""
`advisor apply` and `advisor verify` record what came of a plan: what was predicted, what was measured, on what,
and how the machine was. The next prediction for the same device rests on that as well and says so: "seen here 4
times". `advisor history` lists the outcomes, `advisor history accuracy` says how good predictions were, and
`--no-record` or `ADVISOR_OUTCOMES=off` keep a run out.

## How

An outcome's error is the logarithm of measured over predicted (of accuracy the difference in points), in
standard deviations that the prediction claims for itself by its interval. What the predictor said before any
correction counts, else a correction that works would unlearn itself. The prior divides the variance of an
error: {RUNTIME:.0%} are shared by all outcomes of a runtime on the device, {FORM:.0%} more by those of the same
precision (of accuracy: the same techniques), {NETWORK:.0%} more by those of the same network in it, {REST:.0%}
by none; between numbers of threads {OTHER_THREADS:.0%} of what is shared remain. The best guess for the next
error follows, and with it the next interval. So one outcome closes at most half of the gap for the same network
and {RUNTIME + FORM:.0%} of it for others; twenty that agree close nine tenths.

The rest has heavy tails (Student's t with {TAILS:g} degrees of freedom), so that a single outcome never moves a
prediction by more than one of its deviations. How much predictions scatter is learnt too, the claimed width
counting as {SCALE_STRENGTH:g} outcomes: intervals become narrower or wider. The latest {LATEST} outcomes of a
metric and predictor count.

Set aside, and listed with the reason by `advisor history accuracy`: measurements that are inconclusive by their
own record (throttling, noise); errors that a factor of 1,000 or 1,000,000 explains; errors beyond {FAR:g}
deviations that fewer than {CONFIRMED_BY} others, or {CONFIRMED_SHARE:.0%} of them, confirm; and what the others
contradict. Only predictions by the same predictor are learnt from: after `advisor devices calibrate` the
machine begins anew. Rules are not changed; how often what they promised held is reported beside their
certainty.

An imported outcome counts like one's own of the same device, and is told apart ("seen elsewhere").
"""

SIMULATED = f"""
## A simulated study

{DEVICES} devices for each table; their true errors are drawn as its heading says, around a prediction that claims a
deviation of {SPREAD:g} (an interval of a factor 1.67 either way). Learnt from are networks drawn once each, half of
them int8; predicted are {TESTS} others, in both forms, the same in all rows. The error is the median of the larger
over the smaller of prediction and truth, minus one. "Mean" corrects by the plain mean of all logarithms instead. With
poison, each outcome is wrong with a probability of {POISONED:.0%}: half of these are in another unit (a factor of
1,000 up or down), half are runs slowed down 1.5 to 3 times without a trace in the record. The last columns say how
many of either kind and of the others were set aside; what is not counts with little weight where it is far off.
"""

PUBLISHED = f"""
## Published measurements

The same on measurements of real boards: of every way to run networks on a device (runtime, unit) that at least
{FEWEST} of the networks were published for, some networks are taken for outcomes, one measurement each, and all
others are predicted by the datasheet roofline without and with them. Both columns are of the same measurements;
three random orders.
"""


def page() -> str:
    """Write the page."""
    return "\n".join(
        ["# Learning from outcomes\n", "Written by `python benchmarks/learning.py`; do not edit.", *_body()]
    )


def _body() -> Iterator[str]:
    yield INTRO.rstrip()
    yield SIMULATED
    for number, scenario in enumerate(tracked(SCENARIOS, "simulating devices")):
        yield from _scenario(scenario, number)
    yield PUBLISHED
    yield "| outcomes | ways | predictions | error before | with outcomes | in interval before | with outcomes |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    for count, ways, before, after in published_study(rows()):
        cells = (count, ways, len(after.errors), f"{before.row[0]:.0%}", f"{after.row[0]:.0%}", f"{before.row[1]:.0%}",
                 f"{after.row[1]:.0%}")  # fmt: skip
        yield f"| {' | '.join(str(cell) for cell in cells)} |"
    yield ""


def _scenario(scenario: Scenario, number: int) -> Iterator[str]:
    shares = (scenario.runtime, scenario.form, scenario.network, scenario.rest)
    off = f", off by {scenario.off:g} deviations" if scenario.off else ""
    told = "shared by runtime, form, network, none: " + ", ".join(f"{share:.0%}" for share in shares)
    yield f"{scenario.name.capitalize()} ({told}{off}):\n"
    yield "| outcomes | poison | error | mean | in interval | high / low | units found | slow found | others |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for count, share, ours, plain, spotted in study(scenario, number):
        yield _row(count, share, ours, plain, spotted)
    yield ""


def _row(count: int, share: float, ours: Found, plain: Found, spotted: Spotted) -> str:
    error, inside, width = ours.row
    found = (_share(spotted.units), _share(spotted.slow), _share(spotted.honest))
    poison = f"{share:.0%}" if share else "-"
    cells = (count, poison, f"{error:.0%}", f"{plain.row[0]:.0%}", f"{inside:.0%}", f"{width:.2f}", *found)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _share(hits: list[bool]) -> str:
    return f"{sum(hits)} of {len(hits)}" if hits else "-"


def folded(text: str) -> str:
    """Fold paragraphs of running text; tables and headings stay as they are."""
    parts = text.split("\n\n")
    return "\n\n".join(
        part if part.lstrip().startswith(("|", "#")) else textwrap.fill(" ".join(part.split()), _WIDTH)
        for part in parts
    )


if __name__ == "__main__":
    write_text(PAGE, folded(page()).rstrip() + "\n")
    print(f"wrote {PAGE.name}")
