"""Make the files that `advisor apply` would ship for timm networks, and note their sizes and executed graphs.

Used by benchmarks/fusion.py and benchmarks/size.py. Weights are random; calibration takes one random image, since
neither the graph nor the size depends on what the images show. Results are kept in a folder by network: what was made
as JSON, the planned networks beside it.
"""

import json
import logging
import pickle
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import timm
import torch

from advisor.calibration.probes import distinct
from advisor.profiling import profile_module
from advisor.runtimes.onnx_export import export_onnx
from advisor.schema import Plan, Step, Workload
from advisor.techniques import preview_plan
from advisor.techniques.dynamic_int8 import apply as dynamic_int8
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half import apply as half
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8 import apply as static_int8
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject
from advisor.techniques.weight_only import apply as weight_only
from advisor.techniques.weight_only.step import WeightOnly
from benchmarks.probe_networks import NETWORKS as SMALL

STEPS: dict[str, tuple[Step, ...]] = {
    "fp32": (),
    "fp16": (Half(),),
    "int8": (StaticInt8(signedness="u8s8", calibration_images=1),),
    "int8-dynamic": (DynamicInt8(),),
    "w8": (WeightOnly(),),
    "w4": (WeightOnly(bits=4, group_size=32),),
}
APPLIERS: dict[str, Any] = {
    "fp16": half, "int8": static_int8, "int8-dynamic": dynamic_int8, "w8": weight_only, "w4": weight_only,
}  # fmt: skip
# Network -> pixels. The rules of fusion were written with these in view, and the figures of size are fitted to them.
NETWORKS = {
    "resnet18": 128, "mobilenetv2_100": 128, "vit_tiny_patch16_224": 224, "efficientnet_b0": 128,
    "convnext_atto": 128, "mobilenetv3_small_100": 128, "regnety_002": 128, "densenet121": 128, "ghostnet_100": 128,
    "swin_tiny_patch4_window7_224": 224, "mobilevit_xxs": 128, "resnet50": 128, "regnetx_002": 128,
    "mobilenetv3_large_100": 128, "efficientnet_lite0": 128, "tf_efficientnetv2_b0": 128, "mnasnet_050": 128,
    "repvgg_a0": 128, "convnextv2_atto": 128, "deit_small_patch16_224": 224, "vit_small_patch32_224": 224,
    "mobilevitv2_050": 128, "mobileone_s0": 128, "edgenext_xx_small": 128, "efficientformer_l1": 224,
    "fastvit_t8": 128, "levit_128s": 224, "poolformer_s12": 128, "mixer_s32_224": 224, "resmlp_12_224": 224,
    "hrnet_w18_small": 128, "dla34": 128, "cait_xxs24_224": 224, "pit_ti_224": 224, "coat_lite_tiny": 224,
    "lcnet_050": 128, "tinynet_e": 106, "hardcorenas_a": 128, "legacy_seresnet18": 128, "skresnet18": 128,
    "cspresnet50": 128, "efficientvit_b0": 128, "repghostnet_050": 128, "starnet_s1": 128,
    "mobilenetv4_conv_small": 128, "tiny_vit_5m_224": 224, "resnext26ts": 128, "xcit_nano_12_p16_224": 224,
    "gcresnext26ts": 128,
}  # fmt: skip

# No rule was written for these, and no figure is fitted to them.
UNSEEN = {
    "rexnet_100": 128, "selecsls42b": 128, "sebotnet33ts_256": 256, "pvt_v2_b0": 224, "visformer_tiny": 224,
    "efficientformerv2_s0": 224, "inception_next_atto": 128, "hgnetv2_b0": 128, "mambaout_femto": 128,
    "fbnetc_100": 128, "semnasnet_075": 128, "dpn48b": 128, "res2net50_26w_4s": 128, "mvitv2_tiny": 224,
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """One file: its bytes, and the nodes of the graph that onnxruntime executes (type, inputs, outputs, attributes)."""

    bytes: int
    nodes: tuple[dict[str, Any], ...]


def network(name: str) -> torch.nn.Module:
    """Return a timm network, or one of the small ones, with random weights, the same at every call."""
    torch.manual_seed(zlib.crc32(name.encode()))
    return distinct((SMALL[name]() if name in SMALL else timm.create_model(name)).eval())


def workloads(name: str, kept: Path) -> dict[str, Workload]:
    """Return the network as the predictors see it after each form's steps."""
    record = kept / f"{name}.pickle"  # of our own making
    if not record.is_file():
        planned = plan_forms(network(name), shape_of(name), name)
        kept.mkdir(parents=True, exist_ok=True)
        partial = record.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(planned))
        partial.rename(record)
    return pickle.loads(record.read_bytes())


def plan_forms(module: torch.nn.Module, shape: tuple[int, ...], name: str) -> dict[str, Workload]:
    """Profile a module and preview the steps of every form."""
    original = profile_module(module, shape, name=name, source=f"timm:{name}")
    return {
        form: preview_plan(Plan(runtime="onnxruntime", unit="cpu", steps=steps), original)
        for form, steps in STEPS.items()
    }


def shape_of(name: str) -> tuple[int, ...]:
    """Return the input shape."""
    pixels = (NETWORKS | UNSEEN).get(name, 32)
    return (1, 3, pixels, pixels)


def quiet() -> None:
    """Silence the exporters and quantizers, and leave one core to others."""
    torch.set_num_threads(1)
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


def made(name: str, kept: Path) -> dict[str, Made]:
    """Return the files of a network by form; a form that cannot be made is missing."""
    record = kept / f"{name.replace('/', '-')}.json"
    if not record.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        partial = record.with_suffix(".partial")
        partial.write_text(json.dumps(make_files(network(name), shape_of(name))), encoding="utf-8")
        partial.rename(record)
    content = json.loads(record.read_text(encoding="utf-8"))
    return {form: Made(entry["bytes"], tuple(entry["nodes"])) for form, entry in content.items()}


def make_files(module: torch.nn.Module, shape: tuple[int, ...]) -> dict[str, Any]:
    """Export a module, carry out the steps of every form, and note the bytes and the executed nodes of each file."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        subject = Subject(input_shape=shape, folder=folder, onnx=folder / "float.onnx", calibration=_images(shape))
        export_onnx(module, shape, folder / "float.onnx")
        for form, steps in STEPS.items():
            try:
                path = APPLIERS[form].apply(steps[0], subject).onnx if steps else subject.onnx
            except Exception as error:  # a network without linear layers has no dynamic form
                logging.getLogger(__name__).error("%s: %s", form, error)
                continue
            results[form] = {"bytes": path.stat().st_size, "nodes": executed(path)}
    return results


def _images(shape: tuple[int, ...]) -> Any:
    def batches(count: int) -> Iterator[Any]:
        yield np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    return batches


def executed(path: Path) -> list[dict[str, Any]]:
    """Return the nodes of the graph as onnxruntime executes it, with the shapes of constant inputs."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath).graph
    constants = {w.name: list(w.dims) for w in graph.initializer}
    return [
        {
            "op": node.op_type,
            "inputs": list(node.input),
            "outputs": list(node.output),
            "constants": {name: constants[name] for name in node.input if name in constants},
            "attrs": {a.name: _plain(a) for a in node.attribute},
        }
        for node in graph.node
    ]


def _plain(attribute: Any) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return [v for v in value if isinstance(v, int | float)]
    return value if isinstance(value, int | float) else type(value).__name__
