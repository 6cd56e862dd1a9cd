"""A wheel holds all that a recommendation needs: rules, figures and profiles come from it, not from a checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.real


def run(*command: object, **options) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Install the wheel alone into a new environment that borrows the packages of this one, but not this checkout."""
    home = tmp_path_factory.mktemp("home") / "env"
    run(sys.executable, "-m", "venv", home)
    python = home / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    # A folder named in a .pth file joins the path, but its own .pth files (an editable advisor) are not read.
    Path(own, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_knowledge_profiles_and_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("advisor/py.typed", "advisor/_data/knowledge/facts.yaml", "advisor/_data/knowledge/rules/hardware/"):
        assert any(name.startswith(part) for name in names), part
    shipped = {name.removeprefix("advisor/_data/") for name in names if name.startswith("advisor/_data/")}
    for folder in ("knowledge", "profiles"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.yaml")}
        assert here <= shipped
    assert not [name for name in names if name.startswith(("tests/", "examples/", "docs/"))]


def test_the_installed_command_recommends_from_any_folder(python, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    options = {"cwd": tmp_path, "env": environment}
    where = run(python, "-c", "import advisor.resources as r; print(r.data_dir('knowledge'))", **options).stdout.strip()
    assert Path(where).is_relative_to(python.parents[1])
    command = python.parent / "advisor"
    done = run(command, "recommend", "timm:resnet18", "--target", "jetson-nano", "--json", **options)
    answer = json.loads(done.stdout)
    assert answer["device"] == "jetson-nano"
    assert answer["candidates"]
    assert list(tmp_path.iterdir()) == []
