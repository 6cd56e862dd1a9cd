"""`extends`, aliases and folders of the user's own."""

from pathlib import Path

import pytest

from advisor.devices import list_devices, load_device, profile_digest
from advisor.devices.inherit import deep_merge
from advisor.errors import DeviceError

MINIMAL = """
name: Test board
vendor: Test
kind: sbc
paths:
  onnxruntime/cpu: {precisions: [fp32, int8]}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"m": {"x": 1, "y": 2}}, {"m": {"y": 3}}, {"m": {"x": 1, "y": 3}}),
        ({"l": [1, 2]}, {"l": [3]}, {"l": [3]}),
        ({"a": 1}, {"a": None}, {}),
        ({"m": {"x": 1}}, {"m": {"x": None}}, {"m": {}}),
        (
            {"f": {"value": 1, "source": "s", "formula": "g"}},
            {"f": {"value": 2, "basis": "assumed"}},
            {"f": {"value": 2, "basis": "assumed"}},
        ),
    ],
    ids=["keep", "deep", "list", "null-removes", "null-deep", "figure-is-one"],
)
def test_deep_merge(parent: dict, child: dict, expected: dict) -> None:
    before = str(parent)
    assert deep_merge(parent, child) == expected
    assert str(parent) == before


def test_a_variant_says_only_what_differs() -> None:
    nano, small = load_device("jetson-orin-nano-8gb"), load_device("jetson-orin-nano-4gb")
    assert small.cpu == nano.cpu
    assert small.memory.capacity_mb != nano.memory.capacity_mb
    assert not set(small.aliases) & set(nano.aliases)


def test_a_file_of_the_users_own_is_loaded(tmp_path: Path) -> None:
    device = load_device(str(write(tmp_path, "my-board", MINIMAL)))
    assert (device.id, device.name) == ("my-board", "Test board")


def test_a_users_file_may_extend_a_shipped_device(tmp_path: Path) -> None:
    text = (
        "extends: raspberry-pi-5\nname: Fast Pi\n"
        "memory: {capacity_mb: {value: 16384, basis: assumed}}\npaths: {tflite/cpu: }\n"
    )
    device = load_device(str(write(tmp_path, "fast-pi", text)))
    assert device.memory.capacity_mb is not None
    assert device.memory.capacity_mb.value == 16384
    assert device.memory.bandwidth_gbs == load_device("pi5").memory.bandwidth_gbs
    assert device.path("tflite") is None
    assert device.aliases == ()


def test_a_file_may_override_the_id_it_extends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "raspberry-pi-5", MINIMAL)
    shipped = profile_digest(load_device("raspberry-pi-5"))
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path))
    assert load_device("raspberry-pi-5").name == "Test board"
    assert profile_digest(load_device("raspberry-pi-5")) != shipped


def test_an_extra_folder_is_listed_and_may_name_its_own_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "my-board", MINIMAL.replace("onnxruntime/cpu", "my-runtime/npu"))
    write(tmp_path, "_vocabulary", "runtimes: {my-runtime: mine}")
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path))
    assert "my-board" in {device.id for device in list_devices()}
    assert load_device("my board").paths[0].runtime == "my-runtime"


def test_a_missing_extra_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path / "absent"))
    with pytest.raises(DeviceError, match="ADVISOR_PROFILES"):
        list_devices()


def test_a_circle_of_parents_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a", "extends: b\n" + MINIMAL)
    write(tmp_path, "b", "extends: a\n" + MINIMAL)
    with pytest.raises(DeviceError, match="circle"):
        load_device(str(tmp_path / "a.yaml"))


def test_an_abstract_profile_is_no_device(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="unknown device"):
        load_device("arm-linux")
    with pytest.raises(DeviceError, match="abstract"):
        load_device(str(write(tmp_path, "base", "abstract: true\n" + MINIMAL)))


@pytest.mark.parametrize("name", ["Raspberry Pi 5", "raspberry_pi_5", "PI5", "rpi-5", " pi5 "])
def test_names_are_matched_without_case_and_spacing(name: str) -> None:
    assert load_device(name).id == "raspberry-pi-5"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("rasberry-pi-5", "raspberry-pi-5"), ("jetson", "jetson-nano"), ("esp32s4", "esp32s3"), ("hst", "host")],
)
def test_an_unknown_name_offers_near_ones(name: str, suggestion: str) -> None:
    with pytest.raises(DeviceError) as caught:
        load_device(name)
    assert suggestion in caught.value.remedy


def test_the_alias_of_two_devices_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "my-board", MINIMAL + "aliases: [pi5]\n")
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path))
    with pytest.raises(DeviceError, match="already means"):
        load_device("pi5")
