"""`advisor export` through the command line: a run folder, a file and a network by name."""

import json

import pytest

from tests.execution.digits import write_digits
from tests.journeys.test_whole_journey import advisor, place  # noqa: F401  (a fixture)

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def run_dir(place):  # noqa: F811
    """A run whose shipped file is int8."""
    write_digits(place / "digits", 300)
    done = advisor(place, "recommend", "model.onnx", "--target", "host", "--data", "digits", "-o", "p.json", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    plans = {str(one["number"]): one["plan"] for one in json.loads(done.stdout)["candidates"]}
    here = {number: plan for number, plan in plans.items() if plan["runtime"] == "onnxruntime"}
    number = next(n for n, plan in here.items() if [step["name"] for step in plan["steps"]] == ["static_int8"])
    done = advisor(place, "apply", "p.json", "--plan", number, "--data", "digits", "-o", "run", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "run"


def test_a_run_is_exported_for_another_runtime_beside_its_files(place, run_dir):  # noqa: F811
    before = {path.name: path.read_bytes() for path in run_dir.iterdir()}
    done = advisor(place, "export", "run", "--runtime", "pytorch", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads(done.stdout)
    assert made["files"][0]["path"] == "run/exported-shipped.pt2"
    assert (place / "run/exported-shipped.pt2").is_file()
    assert made["quantized"] is True
    assert any("of the int8 file run in float in pytorch" in note for note in made["notes"])
    assert {path.name: path.read_bytes() for path in run_dir.iterdir() if path.name in before} == before
    again = advisor(place, "verify", "run", "--json")
    assert again.returncode in (0, 4), again.stdout + again.stderr


def test_the_page_fits_and_says_where_operations_run(place, run_dir):  # noqa: F811
    done = advisor(place, "export", "run", "--runtime", "onnxruntime", "--baseline", "-o", "copy.onnx")
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "differ from onnxruntime's by 0 at most" in done.stdout
    assert "What runs after loading" in done.stdout
    assert (place / "copy.onnx").read_bytes() == (run_dir / "baseline.onnx").read_bytes()


def test_a_plan_for_another_runtime_is_carried_out_and_verified_in_it(place):  # noqa: F811
    pytest.importorskip("openvino")
    runtime, out = "openvino", "in-openvino"
    words = ("--target", "host", "--runtime", runtime, "--threads", "1", "--plan", "1", "-o", out, "--json")
    done = advisor(place, "apply", "model.onnx", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert run["environment"]["runtime"] == run["plan"]["runtime"] == runtime
    assert {one["runtime"].split()[0] for one in run["measurements"]} == {runtime}
    files = {one["role"]: one["file"] for one in run["artefacts"]}
    assert {"baseline", "baseline-data", "baseline-onnx", "shipped", "shipped-data", "shipped-onnx"} <= set(files)
    assert any("nothing; copy model" in line for line in run["recipe"])
    again = advisor(place, "verify", out, "--json")
    assert again.returncode in (0, 4), again.stdout + again.stderr
    (place / out / files["shipped-data"]).write_bytes(b"damaged")
    broken = advisor(place, "verify", out)
    assert broken.returncode == 2
    assert "damaged" in broken.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model.onnx"], "no runtime named"),
        (["model.onnx", "--runtime", "onnxrutime"], "Did you mean onnxruntime"),
        (["truncated.onnx", "--runtime", "pytorch"], "truncated.onnx"),
        (["empty", "--runtime", "pytorch"], "no run.json"),
        (["nothing.onnx", "--runtime", "pytorch"], "no such file"),
    ],
)
def test_mistakes_end_with_2_and_leave_nothing(place, arguments, words):  # noqa: F811
    before = set(place.rglob("*"))
    done = advisor(place, "export", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert set(place.rglob("*")) == before
