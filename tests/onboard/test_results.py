import json

import pytest

from advisor.errors import RunError
from advisor.onboard.results import read_results

from .runs import measured, results_of


def one(small_run, **changes):
    """Return results with a changed entry of the shipped file."""
    record = json.loads((small_run / "run.json").read_text())
    return results_of(small_run, artefacts=[measured(record["artefacts"][1], **changes)])


def write(tmp_path, fields):
    path = tmp_path / "results.json"
    path.write_text(fields if isinstance(fields, str) else json.dumps(fields))
    return path


def test_results_are_read(small_run, tmp_path):
    found = read_results(write(tmp_path, results_of(small_run)))
    assert [one.median_ms for one in found.artefacts] == [2.0, 1.0]


THOUSAND = 1000.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rounds_ms": [0.001] * 9, "median_ms": 0.001, "minimum_ms": 0.001}, "not in milliseconds"),  # seconds
        ({"rounds_ms": [THOUSAND] * 9, "median_ms": THOUSAND, "minimum_ms": THOUSAND}, "not in milliseconds"),
        ({"median_ms": 0.001}, "median_ms is 0.001, but the rounds give 1"),
        ({"minimum_ms": 0.5}, "minimum_ms is 0.5"),
        ({"rounds_ms": [1.0] * 6}, "rounds_ms"),
        ({"rounds_ms": [1.0] * 8 + [-1.0]}, "not a positive number"),
        ({"rounds_ms": [1.0] * 8 + ["1"]}, None),
        ({"sha256": "abc"}, "sha256"),
        ({"role": "other"}, "role"),
        ({"latency": 1.0}, "latency"),
    ],
)
def test_figures_that_cannot_be_are_refused(small_run, tmp_path, changes, said):
    path = write(tmp_path, one(small_run, **changes))
    if said is None:  # a number in quotes is the same number
        assert read_results(path).artefacts[0].rounds_ms[-1] == 1.0
        return
    with pytest.raises(RunError, match=said):
        read_results(path)


@pytest.mark.parametrize("clock", ["cpu", "wall"])
def test_a_busy_machine_is_no_mistake_of_units_for_cpu_time(small_run, tmp_path, clock):
    path = write(tmp_path, one(small_run, seconds=30.0) | {"clock": clock})  # the figures add up to 4.5 s
    if clock == "cpu":
        assert read_results(path).clock == "cpu"
    else:
        with pytest.raises(RunError, match="not in milliseconds"):
            read_results(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "something"}, "format"),
        ({"version": 2}, "version"),
        ({"time_unit": "us"}, "time_unit"),
        ({"artefacts": []}, "artefacts"),
        ({"threads": 0}, "threads"),
        ({"comment": ""}, "comment"),
    ],
)
def test_other_formats_are_refused_with_the_field(small_run, tmp_path, changes, said):
    with pytest.raises(RunError, match=said):
        read_results(write(tmp_path, results_of(small_run, **changes)))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"threads": NaN}', "[]", "null", '"text"'])
def test_what_is_no_results_at_all_is_refused(tmp_path, text):
    with pytest.raises(RunError, match="results are"):
        read_results(write(tmp_path, text))


def test_a_missing_file_and_a_missing_shipped_file_are_named(small_run, tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        read_results(tmp_path / "nowhere.json")
    record = json.loads((small_run / "run.json").read_text())
    fields = results_of(small_run, artefacts=[measured(record["artefacts"][0])])
    with pytest.raises(RunError, match="shipped file is missing"):
        read_results(write(tmp_path, fields))
