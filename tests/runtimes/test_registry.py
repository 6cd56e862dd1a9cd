"""Finding runtimes by name, also those of other packages."""

from importlib.metadata import EntryPoint

import pytest

from advisor import runtimes
from advisor.devices.host import _FORMS
from advisor.errors import NotApplicable
from advisor.runtimes.onnxruntime import OnnxRuntime
from advisor.runtimes.openvino import OpenVino
from advisor.schema import Plan


class Foreign(OnnxRuntime):
    name = "foreign"


class Broken:
    def __init__(self):
        raise OSError("its library is missing")


@pytest.fixture
def foreign(monkeypatch):
    found = [EntryPoint(name, f"{__name__}:{kind}", runtimes.GROUP) for name, kind in
             (("foreign", "Foreign"), ("broken", "Broken"), ("onnxruntime", "Broken"))]  # fmt: skip
    monkeypatch.setattr(runtimes, "entry_points", lambda group: found if group == runtimes.GROUP else [])


def test_runtimes_of_other_packages_come_last_and_cannot_hide_ours(foreign):
    assert runtimes.names()[-2:] == ("broken", "foreign")
    assert isinstance(runtimes.get("foreign"), Foreign)
    assert type(runtimes.get("onnxruntime")) is OnnxRuntime


def test_a_broken_package_is_named(foreign):
    with pytest.raises(NotApplicable, match=r"'broken' cannot be loaded: its library is missing.*:Broken"):
        runtimes.get("broken")


def test_what_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setattr(OpenVino, "available", lambda self: False)
    with pytest.raises(NotApplicable, match=r"'openvino' is not installed.*advisor\[openvino\]"):
        runtimes.get("openvino")


def test_a_goal_that_asks_for_what_is_missing_here_is_told_what_to_install(monkeypatch):
    from advisor.devices import load_device
    from advisor.schema import Goal

    monkeypatch.setattr(OpenVino, "available", lambda self: False)
    host = load_device("host")
    bare = host.model_copy(update={"paths": host.paths[:1]})
    with pytest.raises(NotApplicable, match=r"advisor\[openvino\]"):
        runtimes.check_installed(bare, Goal(runtime="openvino"))
    runtimes.check_installed(load_device("intel-n100"), Goal(runtime="openvino"))  # it is not about this machine
    runtimes.check_installed(host, Goal(runtime="onnxruntime"))
    runtimes.check_installed(host, Goal(runtime="tensorrt"))
    runtimes.check_installed(host, Goal())


def test_litert_is_another_name_of_tflite(monkeypatch):
    monkeypatch.setattr("advisor.runtimes.tflite.LiteRt.available", lambda self: True)
    assert runtimes.get("litert").name == "tflite"


@pytest.mark.parametrize("name", _FORMS)
def test_paths_of_this_machine_offer_what_the_files_of_their_runtime_hold(name):
    assert tuple(runtimes._load(name).arithmetic) == _FORMS[name]


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(NotApplicable, match=r"'aotinductor' is not installed.*C\+\+ compiler"):
        runtimes.get("aotinductor")


@pytest.mark.parametrize(
    ("runtime", "unit", "device", "expected"),
    [
        ("openvino", "cpu", "host", "openvino"),
        ("ncnn", "cpu", "host", "ncnn"),
        ("ncnn", "cpu", "raspberry-pi-5", "onnxruntime"),
        ("openvino", "gpu", "host", "onnxruntime"),
        ("tensorrt", "gpu", "jetson-nano", "onnxruntime"),
        ("pytorch", "cpu", "host", "onnxruntime"),
    ],
)
def test_a_plan_is_measured_in_its_own_runtime_only_on_this_machine(runtime, unit, device, expected):
    assert runtimes.measured_in(Plan(runtime=runtime, unit=unit), device) == expected
