"""`advisor apply`: carry a plan out and measure the result."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import GoalError

from . import options as given
from .console import progress, show_json, show_page
from .group import INTERRUPTED, MISSED
from .limits import LimitTexts, read_goal, read_search


def command(
    plan: Annotated[
        str, typer.Argument(metavar="MODEL|PLAN.JSON", help="A stored plan, or a model to plan for first.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="RUN_DIR", help="Folder for the results.")] = None,
    data: given.Data = None,
    number: Annotated[
        int | None, typer.Option("--plan", metavar="N", help="Number of the plan; the recommended one by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped; begin where there is none.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Drop a run that was stopped, and begin anew.")] = False,
    target: given.Target = None,
    max_latency: given.MaxLatency = None,
    min_fps: given.MinFps = None,
    max_size: given.MaxSize = None,
    max_memory: given.MaxMemory = None,
    max_energy: given.MaxEnergy = None,
    max_flash: given.MaxFlash = None,
    max_drop: given.MaxDrop = None,
    time_budget: given.TimeBudget = None,
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
    no_record: given.NoRecord = False,
    outcomes: given.Outcomes = None,
    as_json: given.Json = False,
) -> None:
    """Carry a plan out on the model and measure it on this machine.

    Writes the compressed model, run.json and report.md into RUN_DIR. Without --data, only steps that need no images.

    With --max-drop, the strongest setting of the plan that keeps within it is searched for. Exits with 3 where none
    does, with 4 where the file that ships loses more on the test images.
    """
    if out is None:
        raise GoalError("no folder for the results named", remedy="Give --out RUN_DIR.")
    if resume and restart:
        raise GoalError("--resume and --restart contradict each other", remedy="Give one of them.")
    stored = plan.endswith(".json")
    if not stored:
        given.needed_target(target)
    elif target is not None:
        raise GoalError("a stored plan already names its device", remedy="Leave --target out, or give the model.")
    given.read_count(number, "--plan", least=0)
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
    allowed = read_goal(LimitTexts(max_drop=max_drop), seed=seed)
    if stored and wanted != allowed:
        raise GoalError("a stored plan was made for a goal of its own", remedy="Give the model, or 'recommend' anew.")
    options = given.model_options(shape, arch, checkpoint, trust, allow_package)

    from advisor import pipeline
    from advisor.execution.hardware import helping
    from advisor.execution.search import NothingHolds
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page
    from advisor.reports.search import search_page
    from advisor.writing import write_text

    limit = read_search(allowed, time_budget)
    try:
        with progress(quiet=as_json) as bars:
            run = pipeline.apply(
                plan,
                number=number,
                data=data,
                out=out,
                target=target,
                goal=None if stored else wanted,
                limit=limit,
                seed=seed,
                resume=resume,
                restart=restart,
                record=not no_record,
                outcomes=outcomes,
                progress=bars,
                **options,
            )
    except KeyboardInterrupt:
        print(_interrupted(out), file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except NothingHolds as error:
        show_json(error.record) if as_json else show_page(search_page(error.record, plan))
        raise
    if helping():  # a further process of `accelerate launch`
        return
    page = run_page(run)
    write_text(out / "report.md", to_markdown(page))
    show_json(run) if as_json else show_page(page)
    if run.search is not None and run.search.verdict == "broken":
        raise typer.Exit(MISSED)


def _interrupted(out: Path) -> str:
    """Say how a run that was interrupted goes on."""
    from advisor.execution.working import unfinished

    if not unfinished(out).is_dir():
        return "interrupted; nothing was done yet"
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--restart")]
    return f"interrupted; go on with: {shlex.join(['advisor', *words, '--resume'])}"
