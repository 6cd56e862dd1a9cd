"""The other end runs here, behind a pipe instead of a connection: what it does and leaves behind is the same."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from advisor.errors import RunError
from advisor.onboard.kit import write_kit
from advisor.onboard.talk import remote_command, talk
from advisor.progress import Silent

from .runs import heeding_ctrl_c

ROOT = Path(__file__).parents[2]


@pytest.fixture
def board(tmp_path, monkeypatch):
    """Let temporary folders of the other end lie where the test can look."""
    (tmp_path / "board").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "board"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "board"


@pytest.fixture
def kit(small_run, tmp_path, quick):
    write_kit(small_run, tmp_path / "kit.zip")
    return tmp_path / "kit.zip"


class Listener(Silent):
    """Remembers the stages and how far each came."""

    def __init__(self):
        self.stages = []

    def start(self, stage, total=None):
        self.stages.append([stage, total, 0])

    def advance(self, amount=1, note=""):
        self.stages[-1][2] += amount


def explain(status, said):
    return RunError(f"ended with {status}: {said}")


def order(kit, command=None, *, install=False, timeout=60.0, arguments=(), progress=None):
    return talk(
        command or remote_command(sys.executable), kit, arguments, install=install, timeout=timeout, explain=explain,
        progress=progress or Silent(), place="the board",
    )  # fmt: skip


def gone(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process_id}/stat").read_text().split()[2] == "Z"


def test_results_come_back_and_nothing_stays(kit, board):
    listener = Listener()
    results = order(kit, progress=listener, arguments=("--rounds", "7"))
    assert len(results["artefacts"]) == 2
    assert list(board.iterdir()) == []
    names = [stage for stage, _, _ in listener.stages]
    assert names[0] == "copy the kit to the board"
    assert names[-1] == "measure on the board"
    assert listener.stages[0][1:] == [kit.stat().st_size] * 2
    assert listener.stages[-1][1:] == [7, 7]


def test_what_a_login_script_prints_is_passed_over(kit, board):
    noisy = f"echo Welcome; echo advisor:nonsense; exec {' '.join(map(_quoted, remote_command(sys.executable)))}"
    assert order(kit, ("sh", "-c", noisy))["format"] == "advisor-bench-results"


def _quoted(text):
    import shlex

    return shlex.quote(text)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python with pip and without packages."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env={"PATH": "/usr/bin:/bin"})
    return folder / "bin" / "python"


def test_without_leave_nothing_is_installed(kit, board, bare):
    before = sorted(bare.parents[1].rglob("*.dist-info"))
    with pytest.raises(RunError, match=r"no runtime for \.onnx files") as raised:
        order(kit, remote_command(str(bare)))
    assert "--install" in raised.value.remedy
    assert sorted(bare.parents[1].rglob("*.dist-info")) == before
    assert list(board.iterdir()) == []


STAND_IN = """
__version__ = "9.9"
class SessionOptions:
    pass
class InferenceSession:
    def __init__(self, *_, **__): pass
    def get_inputs(self): return []
    def run(self, *_): return []
"""


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder from which pip takes stand-ins for the runtime and numpy, and no other index."""
    import zipfile

    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, code, needs in (("onnxruntime", STAND_IN, "Requires-Dist: numpy\n"), ("numpy", "", "")):
        with zipfile.ZipFile(folder / f"{name}-9.9-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", code)
            info = f"{name}-9.9.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n{needs}")
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_with_leave_a_runtime_is_installed_for_the_while(kit, board, bare, wheels):
    before = sorted(bare.parents[1].rglob("*.dist-info"))
    listener = Listener()
    results = order(kit, remote_command(str(bare)), install=True, progress=listener)
    assert results["runtime_version"] == "9.9"
    assert "install onnxruntime on the board" in [stage for stage, _, _ in listener.stages]
    assert sorted(bare.parents[1].rglob("*.dist-info")) == before
    assert list(board.iterdir()) == []


def test_an_installation_that_fails_is_told(kit, board, bare, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(RunError, match="pip cannot install onnxruntime"):
        order(kit, remote_command(str(bare)), install=True)
    assert list(board.iterdir()) == []


def test_a_failing_measurement_leaves_nothing(board, small_run, tmp_path, quick):
    write_kit(small_run, tmp_path / "kit.zip")
    with pytest.raises(RunError, match=r"no runtime for \.onnx files; they run with: none"):
        order(tmp_path / "kit.zip", arguments=("--runtime", "ncnn"))
    assert list(board.iterdir()) == []


@pytest.fixture
def endless(small_run, tmp_path, monkeypatch):
    """A kit that measures for minutes."""
    monkeypatch.setattr("advisor.onboard.kit.ROUND_SECONDS", 60.0)
    write_kit(small_run, tmp_path / "kit.zip")
    return tmp_path / "kit.zip"


def test_the_time_out_stops_the_board_too(endless, board):
    start = time.monotonic()
    with pytest.raises(RunError, match="did not finish within 2 s"):
        order(endless, timeout=2.0)
    assert time.monotonic() - start < 15
    assert list(board.iterdir()) == []


def test_a_board_that_takes_nothing_in_is_given_up(kit):
    with pytest.raises(RunError, match="did not finish within 1 s"):
        order(kit, ("sleep", "60"), timeout=1.0)


def test_a_connection_that_ends_is_explained(kit):
    with pytest.raises(RunError, match="ended with 7: no way"):
        order(kit, ("sh", "-c", "echo no way >&2; exit 7"))


def test_an_old_python_is_told(kit, tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexec " + sys.executable + ' -c "import sys; sys.version_info = (3, 7); '
                   'exec(sys.argv[2])" "$@"\n')  # fmt: skip
    old.chmod(0o755)
    with pytest.raises(RunError, match=r"needed is 3\.8"):
        order(kit, remote_command(str(old)))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_whoever_asks_may_go_at_any_time_and_the_board_tidies_up(endless, board, end):
    code = f"""
        from tests.onboard.test_talk import order
        from pathlib import Path
        order(Path({str(endless)!r}))
    """
    asking = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        preexec_fn=heeding_ctrl_c,  # noqa: PLW1509  (no threads here)
    )  # fmt: skip
    _until(lambda: list(board.glob("advisor-*/kit/kit.json")))
    _until(lambda: _running(board))
    measuring = _running(board)
    asking.send_signal(end)
    asking.communicate(timeout=30)
    _until(lambda: not list(board.iterdir()))
    _until(lambda: all(gone(one) for one in measuring))


def _running(folder: Path) -> list[int]:
    """Return the processes that work in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(place.readlink()).startswith(str(folder)):
                found.append(int(place.parent.name))
        except OSError:
            continue
    return found


def _until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_the_other_end_says_where_it_worked_and_that_it_is_clean(kit, board):
    command = remote_command(sys.executable)
    program = (ROOT / "advisor/onboard/board/receive.py").read_bytes()
    head = json.dumps({"bytes": kit.stat().st_size, "install": False, "arguments": ["--rounds", "7"]}).encode()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(program + head + b"\n" + kit.read_bytes())
    process.stdin.flush()
    said = [json.loads(line.removeprefix(b"advisor:")) for line in process.stdout]
    process.stdin.close()
    assert process.wait() == 0
    assert Path(said[0]["folder"]).parent == board
    assert said[-1] == {"done": True, "failure": "", "removed": True}
