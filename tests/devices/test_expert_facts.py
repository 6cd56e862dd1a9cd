"""What people who deploy on these devices know; each row would be a costly mistake in a profile."""

import pytest

from advisor.devices import list_devices, load_device
from advisor.schema import ExecPath


def path_of(device: str, label: str) -> ExecPath:
    runtime, unit = label.split("/")
    found = load_device(device).path(runtime, unit)
    assert found is not None, f"{device} has no {label}"
    return found


PRECISIONS = [
    ("jetson-nano", "tensorrt/gpu", {"fp32", "fp16"}),
    ("jetson-tx1", "tensorrt/gpu", {"fp32", "fp16"}),
    ("jetson-tx2", "tensorrt/gpu", {"fp32", "fp16"}),
    ("jetson-xavier-nx", "tensorrt/gpu", {"fp32", "fp16", "int8"}),
    ("jetson-orin-nano-8gb", "tensorrt/gpu", {"fp32", "fp16", "bf16", "int8"}),
    ("jetson-agx-orin-64gb", "tensorrt/dla", {"fp16", "int8"}),
    ("coral-usb-accelerator", "edgetpu/npu", {"int8"}),
    ("hailo-8l", "hailort/npu", {"int8", "int4"}),
    ("ethos-u55-128", "vela/npu", {"int8", "int16"}),
    ("imx93", "vela/npu", {"int8", "int16"}),
    ("qcs6490", "qnn/npu", {"int8", "w8a16"}),
    ("qcs6490", "tflite/gpu", {"fp16", "fp32"}),
    ("apple-m1", "coreml/npu", {"fp16"}),
    ("apple-a17-pro", "coreml/npu", {"fp16", "int8"}),
    ("raspberry-pi-4b", "ncnn/cpu", {"fp32", "int8"}),
    ("raspberry-pi-5", "ncnn/cpu", {"fp32", "fp16", "int8"}),
    ("jetson-agx-xavier", "ncnn/cpu", {"fp32", "fp16"}),
    ("visionfive-2", "ncnn/cpu", {"fp32"}),
    ("loongson-3a5000", "ncnn/cpu", {"fp32"}),
    ("intel-ncs2", "openvino/npu", {"fp16"}),
    ("rp2040", "tflite-micro/mcu", {"int8"}),
    ("stm32h747", "stm32cubeai/mcu", {"fp32", "int8"}),
    ("stm32n6", "stm32cubeai/npu", {"int8"}),
]


@pytest.mark.parametrize(("device", "label", "expected"), PRECISIONS)
def test_a_path_lists_what_it_really_executes(device: str, label: str, expected: set[str]) -> None:
    assert set(path_of(device, label).precisions) == expected


ISA = [
    ("raspberry-pi-4b", {"neon"}, {"dotprod", "asimdhp"}),
    ("raspberry-pi-3b-plus", {"neon"}, {"dotprod", "asimdhp"}),
    ("rk3576", {"neon"}, {"dotprod", "asimdhp"}),
    ("raspberry-pi-5", {"neon", "asimdhp", "dotprod"}, {"i8mm"}),
    ("rk3566", {"asimdhp", "dotprod"}, {"i8mm"}),
    ("qcs6490", {"asimdhp", "dotprod"}, {"i8mm"}),
    ("jetson-xavier-nx", {"asimdhp"}, {"dotprod"}),
    ("jetson-agx-xavier", {"asimdhp"}, {"dotprod"}),
    ("dimensity-9300", {"i8mm"}, set()),
    ("apple-m1", {"dotprod"}, {"i8mm"}),
    ("intel-n100", {"avx2", "avx_vnni"}, {"avx512_vnni", "amx"}),
    ("x86-avx2", {"avx2"}, {"avx_vnni", "avx512_vnni"}),
    ("x86-amx", {"amx", "avx512_vnni"}, set()),
    ("stm32h747", {"dsp"}, {"helium"}),
    ("stm32n6", {"helium"}, set()),
    ("esp32-s3", {"pie"}, set()),
    ("rp2040", set(), {"dsp"}),
    ("rp2350", {"dsp"}, {"helium"}),
]


@pytest.mark.parametrize(("device", "present", "absent"), ISA)
def test_instruction_sets(device: str, present: set[str], absent: set[str]) -> None:
    cpu = load_device(device).cpu
    assert cpu is not None
    assert present <= set(cpu.isa)
    assert not absent & set(cpu.isa)


MEMORIES = [  # KiB, or MB for the capacity
    ("stm32h747", "sram_kb", 1024),
    ("stm32h747", "flash_kb", 2048),
    ("stm32f746", "sram_kb", 320),
    ("esp32-s3", "sram_kb", 512),
    ("rp2040", "sram_kb", 264),
    ("max78000", "on_chip_kb", 432),
    ("hailo-8", "on_chip_kb", 20480),
    ("coral-usb-accelerator", "on_chip_kb", 8192),
    ("raspberry-pi-zero-2w", "capacity_mb", 512),
    ("jetson-orin-nano-4gb", "capacity_mb", 4096),
]


@pytest.mark.parametrize(("device", "field", "expected"), MEMORIES)
def test_memories(device: str, field: str, expected: float) -> None:
    figure = getattr(load_device(device).memory, field)
    assert figure.value == expected


GPUS = [("jetson-nano", 5.3, False), ("jetson-tx2", 6.2, False), ("jetson-xavier-nx", 7.2, False)]
GPUS += [(d.id, 8.7, True) for d in list_devices() if "orin" in d.id]


@pytest.mark.parametrize(("device", "capability", "sparse"), GPUS)
def test_compute_capability_and_sparse_tensor_cores(device: str, capability: float, sparse: bool) -> None:
    gpu = load_device(device).gpu
    assert gpu is not None
    assert (gpu.cuda_cc, gpu.sparse_2_4) == (capability, sparse)
    assert (path_of(device, "tensorrt/gpu").restrictions.sparse_kernels == ("2:4",)) is sparse


@pytest.mark.parametrize(
    ("device", "label", "dense_tops"),
    [
        ("jetson-orin-nano-8gb", "tensorrt/gpu", 20),
        ("jetson-orin-nano-super", "tensorrt/gpu", 33.5),
        ("jetson-agx-orin-64gb", "tensorrt/gpu", 85.5),
        ("hailo-8l", "hailort/npu", 13),
        ("hailo-8", "hailort/npu", 26),
        ("coral-usb-accelerator", "edgetpu/npu", 4),
        ("rk3588", "rknn/npu", 6),
        ("stm32mp257", "openvx/npu", 1.35),
    ],
)
def test_advertised_tops_become_dense_gmacs(device: str, label: str, dense_tops: float) -> None:
    assert path_of(device, label).peak_gmacs["int8"].value == pytest.approx(dense_tops * 1000 / 2)


@pytest.mark.parametrize(
    "device", ["hailo-8l", "hailo-8", "coral-usb-accelerator", "max78000", "raspberry-pi-ai-camera"]
)
def test_weights_beyond_the_chip_cost(device: str) -> None:
    assert load_device(device).paths[0].restrictions.weight_capacity


@pytest.mark.parametrize("device", ["imx8m-plus", "stm32mp257", "amd-kria-kv260", "max78000"])
def test_per_tensor_accelerators(device: str) -> None:
    assert load_device(device).paths[0].restrictions.weight_granularity == ("per_tensor",)


@pytest.mark.parametrize(
    ("device", "label", "first"),
    [
        ("intel-n100", "onnxruntime/cpu", "u8s8"),
        ("x86-avx512-vnni", "onnxruntime/cpu", "u8s8"),
        ("raspberry-pi-5", "onnxruntime/cpu", "s8s8"),
        ("raspberry-pi-4b", "tflite/cpu", "s8s8"),
        ("coral-usb-accelerator", "edgetpu/npu", "u8u8"),
    ],
)
def test_the_fast_signedness_comes_first(device: str, label: str, first: str) -> None:
    assert path_of(device, label).restrictions.signedness[0] == first


@pytest.mark.parametrize(
    ("device", "label", "default"),
    [
        ("raspberry-pi-5", "ncnn/cpu", "fp16"),
        ("raspberry-pi-5", "onnxruntime/cpu", "fp32"),
        ("raspberry-pi-4b", "ncnn/cpu", "fp32"),
        ("x86-amx", "openvino/cpu", "bf16"),
        ("intel-n100", "openvino/cpu", "fp32"),
        ("intel-n100", "openvino/gpu", "fp16"),
        ("jetson-nano", "tensorrt/gpu", "fp32"),
    ],
)
def test_the_float_a_runtime_computes_in(device: str, label: str, default: str) -> None:
    assert path_of(device, label).default_float == default


def test_carmel_multiplies_int8_slower_than_fp16() -> None:
    path = path_of("jetson-agx-xavier", "tflite/cpu")
    assert "int8" not in path.precisions or path.peak_gmacs["int8"].value < 2 * path.peak_gmacs["fp32"].value


def test_every_64_bit_arm_board_and_pc_can_run_pytorch() -> None:
    for device in list_devices():
        cpu = device.cpu
        if device.kind not in ("sbc", "x86", "gpu-soc", "computer") or cpu is None or device.vendor == "Qualcomm":
            continue
        if cpu.arch in ("aarch64", "x86_64") and cpu.isa:  # a Xeon Phi has neither SSE nor AVX
            assert device.path("pytorch", "cpu") is not None, device.id
