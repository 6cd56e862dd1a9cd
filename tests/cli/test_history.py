"""`advisor history`: lists, tables and files of outcomes; a damaged store is refused with a way out."""

import json

import pytest

from advisor.learning.outcomes.store import Store
from tests.learning.outcomes.builders import effect, figure, outcome


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A store with four outcomes, one of them in another unit, named by the variable."""
    file = tmp_path / "outcomes.sqlite"
    monkeypatch.setenv("ADVISOR_OUTCOMES", str(file))
    spoilt = outcome(4, figures=(figure(measured=10_000.0, hit=False, cause="load"),))
    given = [outcome(1, effects=(effect(),)), outcome(2, 2.0), outcome(3, device="board", techniques=()), spoilt]
    Store(f"sqlite:///{file}").add(given)
    return file


def test_outcomes_are_listed_the_latest_first(invoke, place):
    result = invoke("history")
    assert result.exit_code == 0, result.output
    assert "outcomes  4" in result.stdout
    lines = [line for line in result.stdout.splitlines() if "2026-01-01" in line]
    assert [next(w for w in line.split() if w.startswith("net")) for line in lines] == ["net4", "net3", "net2", "net1"]
    assert "0 of 1" in lines[2]
    assert "latency" in lines[2]
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "models"),
    [(("--device", "board"), ["net3"]), (("--technique", "static_int8"), ["net1", "net2", "net4"]),
     (("--technique", "none", "--device", "board"), ["net3"]), (("--device", "nothing"), [])],
)  # fmt: skip
def test_lists_are_filtered(invoke_json, place, options, models):
    assert [one["model"] for one in invoke_json("history", *options)] == models


def test_a_list_is_cut_and_says_so(invoke, place):
    result = invoke("history", "--limit", "1")
    assert "3 earlier ones with --limit 4." in result.stdout
    assert "net1" not in result.stdout


def test_accuracy_tells_hits_rules_and_what_was_set_aside(invoke, invoke_json, place):
    result = invoke("history", "accuracy")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    for part in ("On host", "On board", "static int8", "HW-03a", "a factor of 1,000 above the prediction"):
        assert part in said
    assert max(map(len, result.stdout.splitlines())) <= 80
    found = invoke_json("history", "accuracy", "--device", "host")
    assert [row["hits"]["n"] for row in found["rows"]] == [2]
    assert len(found["set_aside"]) == 1


def test_export_and_import_go_round(invoke, invoke_json, place, tmp_path):
    file = tmp_path / "shared.jsonl"
    assert invoke_json("history", "export", "-o", file, "--anonymise") == {
        "written": 4, "file": str(file), "anonymised": True,
    }  # fmt: skip
    assert "net1" not in "".join(json.loads(line).get("model", "") for line in file.read_text().splitlines())
    other = tmp_path / "other.sqlite"
    first = invoke_json("history", "import", file, "--outcomes", other)
    again = invoke_json("history", "import", file, "--outcomes", other)
    assert (first["new"], again["new"], again["known"]) == (4, 0, 4)
    assert all(one["elsewhere"] for one in invoke_json("history", "--outcomes", other))
    assert "(imported)" in invoke("history", "--outcomes", other).stdout


def test_a_damaged_store_is_refused_and_repaired(invoke, invoke_json, place):
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])
    refused = invoke("history")
    assert refused.exit_code == 2
    assert "damaged" in refused.stderr
    assert "advisor history repair" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert invoke_json("history", code=2)["error"]["type"] == "StoreError"
    mended = invoke("history", "repair")
    assert mended.exit_code == 0, mended.output
    assert invoke("history").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("history", "--outcomes", "off"), "switched off"),
        (("history", "--limit", "0"), "too small"),
        (("history", "--device", "board", "accuracy"), "behind it"),
        (("history", "import", "nothing.jsonl"), "cannot be read"),
        (("history", "export", "-o", "/proc/none/x.jsonl"), "cannot be written"),
        (("history", "export"), "--output"),
        (("history", "--outcomes", "nosuch://place"), "cannot be opened"),
    ],
)
def test_bad_questions_are_refused_with_a_remedy(invoke, place, arguments, said):
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "remedy:" in result.stderr


def test_an_empty_history_says_how_it_fills(invoke, tmp_path, monkeypatch):
    monkeypatch.setenv("ADVISOR_OUTCOMES", str(tmp_path / "none.sqlite"))
    for command in (("history",), ("history", "accuracy")):
        result = invoke(*command)
        assert result.exit_code == 0
        assert "advisor apply" in result.stdout
    assert not (tmp_path / "none.sqlite").exists()
