"""`advisor devices`: a list that stays readable with hundreds of profiles, and the check of them all."""

from typing import get_args

from advisor.cli import complete
from advisor.devices import list_devices
from advisor.schema.device import DeviceKind


def test_every_device_stands_in_the_list_within_80_columns(invoke):
    result = invoke("devices", "list")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    first_words = {line.split()[0] for line in lines if line.strip()}
    assert {device.id for device in list_devices()} <= first_words


def test_the_list_has_one_table_for_each_kind(invoke):
    output = invoke("devices", "list").output
    for kind in get_args(DeviceKind):
        count = sum(device.kind == kind for device in list_devices())
        assert f"\n{kind} ({count})\n" in output


def test_kinds_that_complete_are_those_of_the_schema():
    assert get_args(DeviceKind) == complete.KINDS


def test_vendors_filter_in_any_spelling(invoke_json):
    for spelling in ("Raspberry Pi", "raspberry-pi", " RASPBERRY PI "):
        found = invoke_json("devices", "list", "--vendor", spelling)
        assert {device["vendor"] for device in found} == {"Raspberry Pi"}
    both = invoke_json("devices", "list", "--vendor", "rockchip", "--kind", "camera-soc")
    assert {device["id"] for device in both} == {"rv1106", "rv1109", "rv1126"}


def test_a_misspelt_vendor_names_the_nearest(invoke):
    result = invoke("devices", "list", "--vendor", "rokchip")
    assert result.exit_code == 2
    assert "rockchip" in result.output


def test_the_name_of_a_vendor_leads_to_its_list(invoke):
    result = invoke("devices", "show", "st")
    assert result.exit_code == 2
    assert "--vendor 'STMicroelectronics'" in " ".join(result.output.split())


def test_shipped_profiles_are_all_sound(invoke_json):
    report = invoke_json("devices", "check")
    assert report["profiles"] == len(list_devices())
    assert report["problems"] == []


def test_check_names_every_wrong_profile_and_ends_with_2(invoke, invoke_json, tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("extends: raspberry-pi-5\nname: Mine\ncpu: {isa: [neno]}\n")
    (tmp_path / "yours.yaml").write_text("extends: no-such-parent\nname: Yours\n")
    (tmp_path / "theirs.yaml").write_text("extends: raspberry-pi-5\nname: Theirs\naliases: [pi5]\n")
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path))
    problems = invoke_json("devices", "check", code=2)["problems"]
    assert len(problems) == 3
    said = " ".join(problem["what"] + problem["where"] for problem in problems)
    assert all(word in said for word in ("neno", "no-such-parent", "pi5", "mine.yaml", "yours.yaml"))
    result = invoke("devices", "check")
    assert result.exit_code == 2
    assert "3 wrong" in result.output
