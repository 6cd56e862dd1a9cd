"""A mistake in a profile is answered with file, dotted key and the nearest valid name."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.devices import load_device
from advisor.errors import DeviceError

BOARD = """name: Test board
vendor: Test
kind: sbc
cpu: {arch: aarch64, isa: [neon], cores: [{name: Cortex-A76, count: 4, freq_ghz: {value: 2.4, source: doc}}]}
memory:
  bandwidth_gbs: {value: 17, source: doc}
paths:
  onnxruntime/cpu: {precisions: [fp32, int8]}
  ncnn/cpu:
    precisions: [fp32, fp16, int8]
    default_float: fp16
    peak_gmacs: {fp16: {value: 153.5, basis: derived, formula: 307 / 2}}
    restrictions: {weight_granularity: [per_channel]}
sources:
  doc: {what: data sheet, where: here}
"""

TYPOS = [
    ("bandwidth_gbs:", "bandwith_gbs:", "memory.bandwith_gbs", "bandwidth_gbs"),
    ("kind: sbc", "kind: sbcc", "kind", "sbc"),
    ("vendor: Test", "vendr: Test", "vendr", "vendor"),
    ("onnxruntime/cpu", "onnxruntine/cpu", "paths.onnxruntine/cpu", "onnxruntime"),
    ("onnxruntime/cpu", "onnxruntime/cpuu", "paths.onnxruntime/cpuu", "cpu"),
    ("onnxruntime/cpu", "onnxruntime", "paths.onnxruntime", "onnxruntime/cpu"),
    ("[fp32, int8]", "[fp32, in8]", "paths.onnxruntime/cpu.precisions.1", "int8"),
    ("{fp16: {value", "{fp61: {value", "paths.ncnn/cpu.peak_gmacs.fp61", "fp16"),
    ("default_float: fp16", "default_flaot: fp16", "paths.ncnn/cpu.default_flaot", "default_float"),
    ("basis: derived", "basis: drived", "paths.ncnn/cpu.peak_gmacs.fp16.basis", "derived"),
    ("[per_channel]", "[perchannel]", "paths.ncnn/cpu.restrictions.weight_granularity.0", "per_channel"),
    ("isa: [neon]", "isa: [noen]", "cpu.isa", "neon"),
    ("arch: aarch64", "arch: arch64", "cpu.arch", "aarch64"),
    ("count: 4", "cout: 4", "cpu.cores.0", "count"),
    ("{value: 17, source: doc}", "{value: fast, source: doc}", "memory.bandwidth_gbs.value", "Correct"),
    ("{value: 17, source: doc}", "{value: 17}", "memory.bandwidth_gbs", "origin"),
    ("{value: 17, source: doc}", "17", "memory.bandwidth_gbs", "{value: ...}"),
    ("{value: 17, source: doc}", "{value: 17, source: dco}", "memory.bandwidth_gbs", "origin"),
    ("formula: 307 / 2", "formula: half, of it", "of it", "quotes"),
    ("sources:", "unit_peaks_gmacs: {cpuu: }\nsources:", "unit_peaks_gmacs.cpuu", "cpu"),
    ("sources:", "cites: [nccn]\nsources:", "cites", "ncnn"),
    ("sources:", "extends: raspbery-pi-5\nsources:", "extends", "raspberry-pi-5"),
]


@pytest.mark.parametrize(("right", "wrong", "key", "hint"), TYPOS, ids=[wrong for _, wrong, _, _ in TYPOS])
def test_a_typo_names_file_key_and_remedy(tmp_path: Path, right: str, wrong: str, key: str, hint: str) -> None:
    path = tmp_path / "board.yaml"
    assert right in BOARD
    path.write_text(BOARD.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(DeviceError) as caught:
        load_device(str(path))
    error = caught.value
    assert "board.yaml" in error.where
    assert key in f"{error.where} {error.what}"
    assert hint in f"{error.remedy} {error.what}"


def test_the_board_of_the_table_is_itself_right(tmp_path: Path) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD, encoding="utf-8")
    device = load_device(str(path))
    assert [p.label for p in device.paths] == ["onnxruntime/cpu", "ncnn/cpu"]
    assert device.paths[0].peak_gmacs["int8"].value == pytest.approx(4 * 2.4 * 32)
    assert device.paths[1].peak_gmacs["fp16"].value == 153.5


def test_an_error_in_a_parent_names_the_parents_file(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(BOARD.replace("kind: sbc", "kind: bord"), encoding="utf-8")
    child = tmp_path / "child.yaml"
    child.write_text("extends: parent\nname: Child\n", encoding="utf-8")
    with pytest.raises(DeviceError, match=r"parent\.yaml"):
        load_device(str(child))


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("name: [", "line"),
        ("- a\n- b\n", "mapping"),
        ("", "mapping"),
        ("name: x\nname: y\n", "twice"),
        ("name: !!python/object/apply:os.system [true]\n", "YAML"),
        ("\x00", "YAML"),
        ("name: x\n", "missing"),
        ("a: " + "[" * 3000, "YAML"),
    ],
    ids=["syntax", "list", "empty", "duplicate", "object", "binary", "incomplete", "deep"],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str, fragment: str) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeviceError, match=fragment):
        load_device(str(path))


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="does not exist"):
        load_device(str(tmp_path / "absent.yaml"))
    huge = tmp_path / "huge.yaml"
    huge.write_text("name: " + "x" * 600_000, encoding="utf-8")
    with pytest.raises(DeviceError, match="bytes"):
        load_device(str(huge))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.sampled_from(["fp32", "x", "cpu"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "cores", "paths", "ncnn/cpu", "name", "precisions"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["name", "vendor", "kind", "cpu", "memory", "paths", "sources", "cites", "unit_peaks_gmacs", "id"]
        ),
        values,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_mapping_is_a_device_or_a_device_error(tmp_path_factory: pytest.TempPathFactory, data: dict) -> None:
    import yaml

    path = tmp_path_factory.mktemp("any") / "board.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with contextlib.suppress(DeviceError):  # anything else fails the test
        device = load_device(str(path))
        assert device.id == "board"
