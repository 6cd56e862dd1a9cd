"""Rooms that need no framework import without one, and the command line starts without anything heavy."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "timm", "onnx", "onnxruntime", "torch_pruning", "fvcore", "sklearn")
BLOCK = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {HEAVY!r}:
            raise ImportError(f'{{name}} is blocked')
sys.meta_path.insert(0, Block())
"""
ROOMS = (
    "schema", "devices", "facts", "rules", "ranking", "reports", "techniques", "prediction", "pipeline", "questions",
    "bulk", "learning",
)  # fmt: skip
IMPORT_ALL = """
import importlib, pkgutil
room = importlib.import_module('advisor.{room}')
for found in pkgutil.walk_packages(getattr(room, '__path__', []), room.__name__ + '.'):
    if not {skip}:
        importlib.import_module(found.name)
"""
# What carries a technique out works on the model itself; nothing else in the room may.
CARRIES_OUT = "found.name.endswith(('.apply', '.simulate', '.masks'))"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("room", ROOMS)
def test_the_room_imports_without_a_framework(room):
    skip = CARRIES_OUT if room == "techniques" else "False"
    done = run(BLOCK + IMPORT_ALL.format(room=room, skip=skip))
    assert done.returncode == 0, done.stderr


def test_the_block_blocks():
    done = run(BLOCK + "import timm")
    assert done.returncode != 0
    assert "timm is blocked" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["recommend", "--help"], ["devices", "--help"]])
def test_the_command_line_starts_light(arguments):
    code = f"""
import sys
sys.argv = ['advisor', *{arguments!r}]
from advisor.cli.main import app
code = app(standalone_mode=False)
assert not code, code
heavy = [name for name in (*{HEAVY!r}, 'numpy', 'yaml', 'advisor.schema') if name in sys.modules]
assert not heavy, heavy
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [["devices", "list"], ["rules", "list"], ["devices", "show", "jetson-nano"]])
def test_catalogues_are_shown_without_a_framework(command):
    code = BLOCK + f"import sys; sys.argv = ['advisor', *{command!r}]; from advisor.cli.main import run; run()"
    done = run(code)
    assert done.returncode == 0, done.stderr
