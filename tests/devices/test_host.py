"""The host's profile, from recorded /proc/cpuinfo texts and on the machine that runs the tests."""

import importlib.util
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from advisor.devices import detect_host, load_device, profile_digest
from advisor.devices.cores import load_cores
from advisor.devices.host import core_name
from advisor.devices.machine import read_machine
from advisor.resources import data_dir

RECORDED = Path(__file__).parent / "cpuinfo"


def machine_root(folder: Path, record: str, files: dict[str, str] | None = None) -> Path:
    """Lay out a small file system: the recorded CPU list, 8 GiB of memory, and further files."""
    wanted = {
        "proc/cpuinfo": (RECORDED / f"{record}.txt").read_text(encoding="utf-8"),
        "proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n",
        **(files or {}),
    }
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def clocks(*khz: int) -> dict[str, str]:
    return {f"sys/devices/system/cpu/cpu{i}/cpufreq/cpuinfo_max_freq": f"{k}\n" for i, k in enumerate(khz)}


@dataclass(frozen=True)
class Recorded:
    """What must be read from one recorded CPU list."""

    name: str
    files: dict[str, str]
    arch: str
    clusters: list[tuple[str, int, float]]
    present: set[str]
    absent: set[str]
    fp32: float  # GMAC/s
    int8: float
    signedness: str


CASES = [
    Recorded("zen5", {}, "x86_64", [("Zen5", 2, 5.6)], {"avx512_vnni"}, {"amx"}, 2 * 5.6 * 32, 2 * 5.6 * 128, "u8s8"),
    Recorded(
        "n100", {}, "x86_64", [("Gracemont", 4, 2.9)], {"avx_vnni"}, {"avx512"}, 4 * 2.9 * 8, 4 * 2.9 * 16, "u8s8"
    ),
    Recorded(
        "pi4",
        clocks(*[1800000] * 4),
        "aarch64",
        [("Cortex-A72", 4, 1.8)],
        {"neon"},
        {"asimdhp", "dotprod"},
        4 * 1.8 * 4,
        4 * 1.8 * 5.33,
        "s8s8",
    ),
    Recorded(
        "pi5",
        clocks(*[2400000] * 4),
        "aarch64",
        [("Cortex-A76", 4, 2.4)],
        {"asimdhp", "dotprod"},
        {"i8mm"},
        4 * 2.4 * 8,
        4 * 2.4 * 32,
        "s8s8",
    ),
    Recorded(
        "rk3588",
        clocks(*[1800000] * 4, *[2400000] * 4),
        "aarch64",
        [("Cortex-A76", 4, 2.4), ("Cortex-A55", 4, 1.8)],
        {"dotprod"},
        {"i8mm"},
        4 * 2.4 * 8 + 4 * 1.8 * 4,
        4 * 2.4 * 32 + 4 * 1.8 * 16,
        "s8s8",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_machine(tmp_path: Path, case: Recorded) -> None:
    host = detect_host(root=machine_root(tmp_path, case.name, case.files))
    assert (host.id, host.confidence) == ("host", "detected")
    assert host.kind == ("x86" if case.arch == "x86_64" else "sbc")
    assert host.cpu is not None
    assert host.cpu.arch == case.arch
    assert [(c.name, c.count, c.freq_ghz.value) for c in host.cpu.cores if c.freq_ghz] == case.clusters
    assert case.present <= set(host.cpu.isa)
    assert not case.absent & set(host.cpu.isa)
    path = host.path("onnxruntime", "cpu")
    assert path is not None
    assert path.peak_gmacs["fp32"].value == pytest.approx(case.fp32, rel=1e-3)
    assert path.peak_gmacs["int8"].value == pytest.approx(case.int8, rel=1e-3)
    assert "GHz" in path.peak_gmacs["int8"].formula
    assert path.restrictions.signedness[0] == case.signedness
    assert host.memory.capacity_mb is not None
    assert host.memory.capacity_mb.value == pytest.approx(8589.9, rel=1e-3)


def test_hyper_threads_share_a_core(tmp_path: Path) -> None:
    machine = read_machine(machine_root(tmp_path, "zen5"))
    assert (machine.logical, sum(c.cores for c in machine.clusters)) == (4, 2)


def test_only_the_cores_open_to_the_process_count(tmp_path: Path) -> None:
    root = machine_root(tmp_path, "rk3588", clocks(*[1800000] * 4, *[2400000] * 4))
    machine = read_machine(root, allowed=frozenset({0, 1, 4}))
    assert [(c.kind, c.cores) for c in machine.clusters] == [("0x41:0xd0b", 1), ("0x41:0xd05", 2)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 4),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 4),
        ({}, 4),
    ],
    ids=["two", "half", "max", "v1", "v1-none", "none"],
)
def test_a_time_quota_limits_the_cores(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    host = detect_host(root=machine_root(tmp_path, "n100", files))
    assert host.paths[0].threads == expected


def test_a_memory_limit_and_the_last_cache_are_found(tmp_path: Path) -> None:
    cache = "sys/devices/system/cpu/cpu0/cache"
    files = {"sys/fs/cgroup/memory.max": "1000000000\n"}
    for index, (level, size) in enumerate([(1, "32K"), (2, "2048K"), (3, "6M")]):
        files |= {f"{cache}/index{index}/level": f"{level}\n", f"{cache}/index{index}/size": f"{size}\n"}
    memory = detect_host(root=machine_root(tmp_path, "n100", files)).memory
    assert memory.capacity_mb is not None
    assert memory.capacity_mb.value == 1000
    assert memory.last_level_cache_kb is not None
    assert memory.last_level_cache_kb.value == 6144


def test_a_core_that_no_table_names_goes_by_its_instruction_sets(tmp_path: Path) -> None:
    root = machine_root(tmp_path, "n100")
    text = (root / "proc/cpuinfo").read_text(encoding="utf-8").replace("model\t\t: 190", "model\t\t: 999")
    (root / "proc/cpuinfo").write_text(text, encoding="utf-8")
    cpu = detect_host(root=root).cpu
    assert cpu is not None
    assert cpu.cores[0].name == "x86-avx-vnni"


@pytest.mark.parametrize(
    ("isa", "name"),
    [
        (("avx2", "avx512", "avx512_vnni", "amx"), "Golden-Cove-Server"),
        (("avx2", "avx512", "avx512_vnni"), "Golden-Cove-Server-without-AMX"),
    ],
)
def test_a_core_whose_tiles_are_hidden_is_not_credited_with_them(isa, name) -> None:
    table = load_cores((data_dir("profiles"),))
    assert core_name("GenuineIntel:6:143", isa, table) == name


def test_without_a_clock_no_peak_is_claimed(tmp_path: Path) -> None:
    host = detect_host(root=machine_root(tmp_path, "pi5"))
    assert host.cpu is not None
    assert host.cpu.cores[0].freq_ghz is None
    assert host.paths[0].peak_gmacs == {}


def test_where_no_cpuinfo_exists_psutil_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    host = detect_host(root=tmp_path)
    assert host.cpu is not None
    assert host.cpu.arch == "aarch64"
    assert "dotprod" in host.cpu.isa
    assert host.memory.capacity_mb is not None


def test_openvino_is_listed_where_it_is_installed_and_not_imported(tmp_path, monkeypatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "openvino" else real(name))
    monkeypatch.delitem(sys.modules, "openvino", raising=False)  # other tests of this process may have imported it
    path = detect_host(root=machine_root(tmp_path, "zen5")).path("openvino", "cpu")
    assert path is not None
    assert path.default_float == "fp32"  # files made here say so, and are obeyed
    assert "openvino" not in sys.modules


def test_this_machine_is_a_device() -> None:
    host = load_device("host")
    assert host.path("onnxruntime", "cpu") is not None
    assert host.path("pytorch", "cpu") is not None
    assert profile_digest(host)


@pytest.mark.real
def test_measured_peaks_replace_derived_ones() -> None:
    host = detect_host(measure=True)
    figure = host.paths[0].peak_gmacs["fp32"]
    assert figure.basis == "measured"
    assert figure.value > 0.1
    assert host.memory.sustained_gbs is not None


def test_devices_load_without_heavy_packages() -> None:
    import subprocess

    blocked = ("torch", "timm", "onnx", "onnxruntime", "openvino")
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "from advisor.devices import list_devices, load_device\n"
        "assert len(list_devices()) >= 60 and load_device('host').id == 'host'\n"
        "assert 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
