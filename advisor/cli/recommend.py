"""`advisor recommend`: rank compression plans for a model on a device."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as given
from .console import progress, show_json, show_page
from .group import NO_PLAN
from .limits import LimitTexts, read_goal, read_probe

if TYPE_CHECKING:
    from advisor.reports.page import Page
    from advisor.schema import Recommendation


def command(
    model: given.Model,
    target: given.Target = None,
    data: given.Data = None,
    look: given.Probe = False,
    look_time: given.ProbeTime = None,
    max_latency: given.MaxLatency = None,
    min_fps: given.MinFps = None,
    max_size: given.MaxSize = None,
    max_memory: given.MaxMemory = None,
    max_energy: given.MaxEnergy = None,
    max_flash: given.MaxFlash = None,
    max_drop: given.MaxDrop = None,
    goal: given.GoalName = "balanced",
    budget: given.BudgetName = "finetune",
    runtime: given.Runtime = None,
    batch: given.Batch = 1,
    threads: given.Threads = None,
    power_mode: given.PowerMode = None,
    shape: given.Input = None,
    arch: given.Arch = None,
    checkpoint: given.Checkpoint = None,
    allow_package: given.AllowPackage = None,
    trust: given.Trust = False,
    seed: given.Seed = 0,
    rules: given.Rules = None,
    outcomes: given.Outcomes = None,
    top: Annotated[int, typer.Option(metavar="N", help="Plans in the ranking.")] = 10,
    output: given.Output = None,
    as_json: given.Json = False,
) -> None:
    """Recommend how to compress MODEL for a device, and say why.

    Exits with 3 if no plan meets the limits.
    """
    device = given.needed_target(target)
    given.check_output(output)
    given.read_count(top, "--top")
    limits = LimitTexts(max_latency, min_fps, max_size, max_memory, max_energy, max_drop, max_flash)
    wanted = read_goal(
        limits,
        kind=goal,
        budget=budget,
        runtime=runtime,
        batch=batch,
        threads=threads,
        power_mode=power_mode,
        seed=seed,
    )
    seconds = read_probe(look, look_time)
    loading = given.model_options(shape, arch, checkpoint, trust, allow_package)

    from advisor import pipeline
    from advisor.reports.recommendation import recommendation_page

    with progress(quiet=as_json) as bars:
        found = pipeline.recommend(
            model,
            device,
            goal=wanted,
            data=data,
            rules=tuple(rules or ()),
            outcomes=outcomes,
            probe_s=seconds,
            progress=bars,
            **loading,
        )
    page = recommendation_page(found, top)
    if output is not None:
        _store(found, page, output)
    show_json(found) if as_json else show_page(page)
    if found.winner is None:
        raise typer.Exit(NO_PLAN)


def _store(found: "Recommendation", page: "Page", output: Path) -> None:
    """Write the plan, or the page where the file is to be Markdown."""
    from advisor.ranking.store import save_recommendation
    from advisor.reports.markdown import to_markdown
    from advisor.writing import write_text

    if output.suffix == ".md":
        write_text(output, to_markdown(page))
    else:
        save_recommendation(found, output)
