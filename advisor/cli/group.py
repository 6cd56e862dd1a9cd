"""From exceptions to messages and exit codes, in one place for all commands."""

import json
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from advisor.errors import AdvisorError

INTERNAL_ERROR = 1
CHANGED = 1  # as diff does
FAILED = 1  # as runners of tests do
NO_PLAN = 3
MISSED = 4
INTERRUPTED = 130


class ErrorGroup(TyperGroup):
    """The top of the command line; the only place that turns errors into text and exit codes."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; print what went wrong, where, and the remedy, and exit with the error's code."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        arguments = [one for one in given if one != "--debug"]
        try:
            code = super().main(arguments, prog_name or "advisor", complete_var, False, windows_expand_args, **extra)
        except (KeyboardInterrupt, typer.Abort):
            print("interrupted", file=sys.stderr)
            code = INTERRUPTED
        except Exception as error:
            if debug:
                traceback.print_exc()
            code = _tell(error, as_json="--json" in arguments)
        code = code if isinstance(code, int) else 0
        if standalone_mode:
            sys.exit(code)
        return code


def _tell(error: Exception, *, as_json: bool) -> int:
    """Write one error and return its exit code."""
    what, where, remedy, code = _parts(error)
    if as_json:
        told = {"type": type(error).__name__, "what": what, "where": where, "remedy": remedy, "exit_code": code}
        print(json.dumps({"error": told}, indent=2))
        return code
    print(f"error: {what}", file=sys.stderr)
    for label, text in (("where", where), ("remedy", remedy)):
        if text:
            print(f"  {label}: {text}", file=sys.stderr)
    return code


def _parts(error: Exception) -> tuple[str, str, str, int]:
    if isinstance(error, AdvisorError):
        return error.what, error.where, error.remedy, error.exit_code
    if isinstance(error, typer.TyperException):
        command = getattr(getattr(error, "ctx", None), "command_path", "advisor")
        what = " ".join(error.format_message().split())
        return what.rstrip("."), "", f"'{command} --help' shows the options.", error.exit_code
    name = type(error).__name__
    return f"internal error, {name}: {error}", "", "Run again with --debug for the traceback.", INTERNAL_ERROR
