"""`advisor bench-kit`: pack a run so that its board can measure it."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import GoalError

from .console import show_json
from .options import Json, read_count


def command(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that 'advisor apply' wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The archive to write (.zip).")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", help="Instead of the number that was predicted for.")
    ] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", metavar="N", help="Rounds, 7 or more.")] = None,
    as_json: Json = False,
) -> None:
    """Pack a run's files with a program that measures them on the board.

    The program needs Python 3.8 or newer and nothing else, installs nothing, and writes results.json for
    'advisor verify RUN_DIR --measured results.json'.
    """
    if output is None:
        raise GoalError("no archive named", remedy="Give --output kit.zip.")
    read_count(threads, "--threads")
    from advisor.onboard.kit import write_kit

    kit = write_kit(run_dir, output, threads=threads, rounds=rounds)
    if as_json:
        show_json({"archive": str(output), **kit})
        return
    print(f"wrote {output}: {', '.join(one['file'] for one in kit['artefacts'])} for {kit['device']}")
    print(f"on the board:  unzip {output.name} && cd {output.stem} && python3 measure.py")
    print(f"then here:     advisor verify {run_dir} --measured results.json")
