"""Outcomes are shared as lines of JSON, with or without names; a file with a mistake is refused as a whole."""

import json

import pytest

from advisor.errors import DataError
from advisor.learning.outcomes.sharing import import_outcomes, read_outcomes, write_outcomes
from advisor.learning.outcomes.store import Store

from .builders import effect, figure, outcome

SECRET = "quokka"
STEP = {"name": "distil", "student": f"timm:{SECRET}", "weights": f"/home/{SECRET}/w.pt", "epochs": 3, "alpha": 0.5,
        "keep": [f"{SECRET}.layer"]}  # fmt: skip


def telling():
    """An outcome that tells its model in every place where a name can stand."""
    return outcome(
        1, model=SECRET, model_digest="d" * 64, steps=(STEP,), effects=(effect(),),
        figures=(figure(note=f"/tmp/{SECRET} was busy", conclusive=False, hit=None),),
        unchanged=(figure(note=SECRET),), environment={"load_average": "0.1", "system": SECRET},
    )  # fmt: skip


def test_a_file_brings_the_same_outcomes_marked_as_measured_elsewhere(tmp_path):
    given = [telling(), outcome(2), outcome(3)]
    assert write_outcomes(given, tmp_path / "a.jsonl") == 3
    found = read_outcomes(tmp_path / "a.jsonl")
    assert all(one.elsewhere for one in found)
    assert [one.model_copy(update={"elsewhere": False}) for one in found] == given


def test_anonymised_outcomes_name_nothing_and_keep_every_figure(tmp_path):
    path = tmp_path / "a.jsonl"
    write_outcomes([telling()], path, anonymise=True)
    assert SECRET not in path.read_text()
    assert "dddd" not in path.read_text()
    (found,) = read_outcomes(path)
    was = telling()
    assert found.steps == ({"name": "distil", "epochs": 3, "alpha": 0.5},)
    assert (found.id, found.network, found.device, found.machine) == (was.id, was.network, was.device, was.machine)
    assert [f.measured for f in found.figures] == [f.measured for f in was.figures]
    assert found.effects == was.effects


def test_importing_twice_adds_nothing_also_of_anonymised_copies(tmp_path, store):
    given = [telling(), outcome(2)]
    for name, anonymise in (("a", False), ("b", True)):
        write_outcomes(given, tmp_path / name, anonymise=anonymise)
    first = import_outcomes(tmp_path / "a", store)
    again = [import_outcomes(tmp_path / name, store) for name in ("a", "b")]
    assert (first.read, first.new) == (2, 2)
    assert [(one.read, one.new) for one in again] == [(2, 0), (2, 0)]


def test_ones_own_outcomes_stay_ones_own(tmp_path, store):
    store.add([outcome(1)])
    write_outcomes(store.read(), tmp_path / "a")
    assert import_outcomes(tmp_path / "a", store).new == 0
    assert store.read()[0].elsewhere is False


def test_what_was_imported_can_be_handed_on(tmp_path, store):
    write_outcomes([outcome(1)], tmp_path / "a")
    import_outcomes(tmp_path / "a", store)
    write_outcomes(store.read(), tmp_path / "b")
    other = Store(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert import_outcomes(tmp_path / "b", other).new == 1
    assert other.read()[0].id == outcome(1).id


FIGURE = {"metric": "latency_ms", "measured": 1, "measured_low": 1, "measured_high": 1}


def line(**changes):
    return json.dumps(json.loads(outcome(2).model_dump_json()) | changes)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "line 2 is no outcome"),
        ("[]", "line 2 is no outcome"),
        (line(version=99), "version"),
        (line(surprise=1), "surprise"),
        (line(recorded="yesterday"), "recorded"),
        (line(recorded="2026-01-01T00:00:00"), "without its zone"),
        (line(threads=0), "threads"),
        (line(figures=[FIGURE | {"measured": "NaN"}]), "finite"),
        (line(figures=[FIGURE | {"low": 3, "mid": 2, "high": 1}]), "low <= mid <= high"),
        (line(model="x" * 1_000_001), "longer than 1,000,000"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_outcome_refuses_the_file(tmp_path, store, bad, said):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{outcome(1).model_dump_json()}\n{bad}\n")
    with pytest.raises(DataError, match="line 2") as found:
        import_outcomes(path, store)
    assert said in str(found.value)
    assert store.read() == ()


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_outcomes(path)


def test_an_empty_file_holds_nothing(tmp_path, store):
    (tmp_path / "a").write_text("\n\n")
    assert import_outcomes(tmp_path / "a", store).read == 0
