"""Bad input ends with exit code 2 and one clear message: what is wrong and what to do, no traceback."""

import json

import pytest

from advisor.errors import ModelLoadError

MODEL = ("recommend", "timm:resnet18", "--target", "jetson-nano")
CASES = {
    "negative latency": ((*MODEL, "--max-latency", "-5ms"), "--max-latency"),
    "zero latency": ((*MODEL, "--max-latency", "0"), "limit of zero"),
    "latency not a number": ((*MODEL, "--max-latency", "nan"), "not a number"),
    "infinite latency": ((*MODEL, "--max-latency", "1e999"), "not a limit"),
    "latency in megabytes": ((*MODEL, "--max-latency", "5MB"), "unknown unit"),
    "size in milliseconds": ((*MODEL, "--max-size", "5ms"), "unknown unit"),
    "size without a number": ((*MODEL, "--max-size", "small"), "not a number"),
    "zero memory": ((*MODEL, "--max-memory", "0 MB"), "limit of zero"),
    "zero energy": ((*MODEL, "--max-energy", "0mJ"), "limit of zero"),
    "zero frames": ((*MODEL, "--min-fps", "0"), "limit of zero"),
    "latency against frames": ((*MODEL, "--max-latency", "100ms", "--min-fps", "30"), "two different limits"),
    "drop above 100": ((*MODEL, "--max-drop", "150"), "150 points"),
    "unknown goal": ((*MODEL, "--goal", "latnecy"), "Did you mean latency"),
    "unknown budget": ((*MODEL, "--budget", "everything"), "none, calibration, finetune, train"),
    "no images per inference": ((*MODEL, "--batch", "0"), "--batch"),
    "no threads": ((*MODEL, "--threads", "0"), "--threads"),
    "batch not a number": ((*MODEL, "--batch", "many"), "--batch"),
    "nothing to rank": ((*MODEL, "--top", "0"), "--top"),
    "shape of letters": ((*MODEL, "--input", "3xaxb"), "not a shape"),
    "empty shape": ((*MODEL, "--input", "1x3x0x224"), "not a shape"),
    "output of unknown kind": ((*MODEL, "-o", "plan.xml"), "neither .json nor .md"),
    "unknown device": (("recommend", "timm:resnet18", "-t", "jetson-nono"), "Did you mean"),
    "no device": (("recommend", "timm:resnet18"), "no device named"),
    "no model": (("recommend", "--target", "jetson-nano"), "MODEL"),
    "unknown option": ((*MODEL, "--max-latancy", "5"), "--max-latancy"),
    "unknown command": (("recomend", "x"), "Did you mean 'recommend'"),
    "images that are not there": ((*MODEL, "--data", "no-such-folder"), "no-such-folder is not a folder"),
    "unknown dataset": ((*MODEL, "--data", "torchvision:CIFAR1O"), "Did you mean CIFAR10"),
    "dataset that is not here": ((*MODEL, "--data", "torchvision:CIFAR10:root=no"), ":download=yes"),
    "function that is not there": ((*MODEL, "--data", "python:no_such_module:f"), "ModuleNotFoundError"),
    "list that is not there": ((*MODEL, "--data", "no.csv"), "path,label[,split]"),
    "apply without folder": (("apply", "plan.json", "--data", "images"), "no folder"),
    "apply without device": (("apply", "timm:resnet18", "--data", "i", "--out", "r"), "no device named"),
    "apply to another device": (("apply", "p.json", "--data", "i", "--out", "r", "-t", "host"), "already names"),
    "apply a missing plan": (("apply", "missing.json", "--data", "i", "--out", "r"), "missing.json"),
    "negative plan": (("apply", "p.json", "--data", "i", "--out", "r", "--plan", "-1"), "--plan"),
    "explain a missing plan": (("explain", "missing.json"), "missing.json"),
    "two questions": (("explain", "plan.json", "--why", "1", "--why-not", "2"), "several questions"),
    "verify a missing run": (("verify", "no-such-run"), "no-such-run"),
    "unknown grouping": (("profile", "timm:resnet18", "--by", "layer"), "op or module"),
    "missing file": (("profile", "no-such-model.pt"), "no-such-model.pt"),
    "unknown kind of device": (("devices", "list", "--kind", "gpu"), "gpu-soc"),
    "device unknown": (("devices", "show", "raspberry-pi-9"), "raspberry-pi-5"),
    "unknown rule": (("rules", "show", "HW-99"), "HW-99"),
    "unknown group": (("rules", "list", "--group", "hardwar"), "hardware"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_ends_with_code_2_and_one_message(invoke, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, said = CASES[name]
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert said in result.stderr
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 4
    assert all(line.startswith(("  where: ", "  remedy: ")) for line in lines[1:])
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == [], "nothing half-written stays"


@pytest.mark.parametrize("name", ["zero latency", "unknown device", "no model", "unknown rule", "missing file"])
def test_with_json_the_error_is_json_on_standard_output(invoke, name):
    result = invoke(*CASES[name][0], "--json")
    assert result.exit_code == 2
    assert result.stderr == ""
    told = json.loads(result.stdout)["error"]
    assert told["what"]
    assert told["exit_code"] == 2
    assert told["type"].endswith(("Error", "Parameter"))


def _raising(monkeypatch, error: BaseException) -> None:
    def fail(*_: object, **__: object):
        raise error

    monkeypatch.setattr("advisor.pipeline.profile", fail)


def test_an_error_tells_what_where_and_the_remedy(invoke, monkeypatch):
    _raising(monkeypatch, ModelLoadError("bad file", where="x.pt", remedy="Use another."))
    result = invoke("profile", "x.pt")
    assert result.exit_code == 2
    assert result.stderr == "error: bad file\n  where: x.pt\n  remedy: Use another.\n"


def test_a_mistake_of_ours_is_one_line_that_asks_for_debug(invoke, monkeypatch):
    _raising(monkeypatch, ZeroDivisionError("oops"))
    result = invoke("profile", "x.pt")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: internal error, ZeroDivisionError: oops",
        "  remedy: Run again with --debug for the traceback.",
    ]


@pytest.mark.parametrize("arguments", [("--debug", "profile", "x.pt"), ("profile", "x.pt", "--debug")])
def test_debug_shows_the_traceback_from_any_place(invoke, monkeypatch, arguments):
    _raising(monkeypatch, ZeroDivisionError("oops"))
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_an_interruption_ends_with_130(invoke, monkeypatch):
    _raising(monkeypatch, KeyboardInterrupt())
    assert invoke("profile", "x.pt").exit_code == 130
