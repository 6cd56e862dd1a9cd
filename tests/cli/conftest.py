import json

import pytest
from typer.testing import CliRunner

from advisor.cli.main import app


@pytest.fixture
def invoke():
    """Run the command line in this process, at 80 columns and without a terminal."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"})

    def call(*arguments: object):
        return runner.invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def invoke_json(invoke):
    """Run a command with --json and return its parsed output, strictly: no NaN, no Infinity, nothing around it."""

    def refuse(name: str):
        raise AssertionError(f"{name} is not JSON")

    def call(*arguments: object, code: int = 0):
        result = invoke(*arguments, "--json")
        assert result.exit_code == code, result.output
        assert result.stderr == ""
        return json.loads(result.stdout, parse_constant=refuse)

    return call
