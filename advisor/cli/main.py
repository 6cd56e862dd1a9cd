"""The command `advisor`. Nothing heavy is imported before a command needs it."""

import atexit
import gc
import os
import sys
from typing import Annotated, NoReturn

import typer

from advisor import __version__

from . import (
    apply,
    bench,
    bench_kit,
    devices,
    estimate,
    explain,
    export,
    history,
    identify,
    predict,
    profile,
    recommend,
    rules,
    verify,
)
from .group import ErrorGroup

_EPILOG = (
    "Exit codes: 0 done, 1 a case fails (rules test), an answer has changed (explain --replay) or an internal error, "
    "2 bad input, 3 no plan meets the limits (recommend), 4 a measurement misses its prediction (verify), "
    "130 interrupted. With --json errors are JSON on standard output."
)

# Objects between two searches for garbage. Libraries and networks are hundreds of thousands of objects that live on:
# looking at them all again and again takes a tenth of the start.
SELDOM = (50_000, 20, 100)
BROKEN_PIPE = 120  # as Python itself exits then

app = typer.Typer(
    name="advisor",
    cls=ErrorGroup,
    help="Recommend, explain, apply and verify the compression of a vision network for an embedded device.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("recommend")(recommend.command)
app.command("apply")(apply.command)
app.command("verify")(verify.command)
app.command("bench")(bench.command)
app.command("bench-kit")(bench_kit.command)
app.command("estimate")(estimate.command)
app.command("export")(export.command)
app.command("identify")(identify.command)
app.command("profile")(profile.command)
app.command("predict")(predict.command)
app.command("explain")(explain.command)
app.add_typer(history.app, name="history")
app.add_typer(devices.app, name="devices")
app.add_typer(rules.app, name="rules")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"advisor {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors (at any place).")] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without these characters shows '?' instead of failing
    gc.set_threshold(*SELDOM)
    gc.disable()  # until something begins that may go on for long
    _leave(app(prog_name="advisor", standalone_mode=False))


def _leave(code: int) -> NoReturn:
    """End as Python does, but without taking the libraries apart object by object, a second and more after PyTorch."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads on, as behind `| head`
            code = code or BROKEN_PIPE
    os._exit(code)
