"""`make workloads`: profile the networks that have names and write their amounts to `knowledge/workloads.csv.gz`.

Every network of timm at its own input size, every network and size that the evidence names, and the graphs of benchncnn
from a table of their layers. About a second for each; what the table holds already is kept unless `--anew` is given.
"""

import argparse
import csv
import gzip
import inspect
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from advisor.prediction.pooled.amounts import COLUMNS, Amounts, amounts_of
from advisor.prediction.pooled.evidence import network_of, read_evidence
from advisor.prediction.pooled.networks import known_networks, networks_path
from advisor.prediction.pooled.question import pixels_of, size_of
from advisor.schema import Op, OpKind, Tensor, Weight, Workload
from advisor.writing import write_bytes

_LIBRARIES = ("timm:", "torchvision:")
_LAYERS = {
    "Convolution": OpKind.CONV, "ConvolutionDepthWise": OpKind.CONV_DEPTHWISE, "InnerProduct": OpKind.LINEAR,
    "DeconvolutionDepthWise": OpKind.CONV_DEPTHWISE, "LRN": OpKind.NORM_LAYER, "Softmax": OpKind.SOFTMAX,
    "Swish": OpKind.ACTIVATION, "HardSwish": OpKind.ACTIVATION, "Sigmoid": OpKind.ACTIVATION,
    "HardSigmoid": OpKind.ACTIVATION,
}  # fmt: skip
_FUNCTIONS = {"Swish": "silu", "HardSwish": "hardswish", "Sigmoid": "sigmoid", "HardSigmoid": "hardsigmoid"}
_FREE = frozenset({"Input", "Split", "Flatten", "Reshape", "Dropout"})
_NCNN_INPUTS = {"mobilenet_v3": "224x224", "proxylessnasnet": "224x224"}  # where the evidence names none

Row = tuple[str, str, Amounts]


def main(arguments: list[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=Path, default=None, help="table of the layers of benchncnn's graphs")
    parser.add_argument("--anew", action="store_true", help="profile also what the table holds")
    options = parser.parse_args(arguments)
    known: dict[tuple[str, str], Amounts] = {}
    if networks_path().is_file():
        known = {key: found.amounts for key, found in known_networks().items()}
    if options.layers is not None:
        known.update({(name, size): amounts for name, size, amounts in ncnn_networks(options.layers)})
    for name, shape in sorted(wanted()):
        if options.anew or (name, size_of(shape)) not in known:
            amounts = profiled(name, shape)
            if amounts is not None:
                known[name, size_of(shape)] = amounts
    write_networks([(name, size, amounts) for (name, size), amounts in known.items()], networks_path())
    print(f"{len(known)} networks at their input sizes")


def wanted() -> set[tuple[str, str]]:
    """Return the networks of libraries with the shapes to profile them at."""
    import timm

    found = {(row.network, row.input) for row in read_evidence() if row.network.startswith(_LIBRARIES)}
    for name in timm.list_models():
        config = timm.models.get_pretrained_cfg(name)
        if config is not None:
            found.add((f"timm:{name}", "1x" + "x".join(str(side) for side in config.input_size)))
    return {(name, shape) for name, shape in found if size_of(shape)}


def profiled(name: str, shape: str) -> Amounts | None:
    """Return the amounts of a network of a library, or None where it does not take this input."""
    found = workload_of(name, shape)
    return None if found is None else amounts_of(found)


def workload_of(name: str, shape: str) -> Workload | None:
    """Profile a network of a library without weights, or None where it does not take this input."""
    import torch

    from advisor.errors import AdvisorError
    from advisor.profiling import profile_module

    sides = tuple(int(side) for side in shape.split("x"))
    choices: tuple[dict[str, Any], ...] = ({}, {"img_size": sides[2:]})
    for options in choices:
        try:
            with torch.device("meta"):
                module = _build(name, options)
            return profile_module(module.eval(), (1, *sides[1:]), name=name, source=name)
        except (AdvisorError, RuntimeError, AssertionError, TypeError, NotImplementedError, ValueError):
            continue
    return None


def _build(name: str, options: dict[str, Any]) -> Any:
    library, _, plain = name.partition(":")
    if library == "timm":
        import timm

        return timm.create_model(plain, **options)
    import torchvision

    builder = torchvision.models.get_model_builder(plain)
    # Segmenters and detectors would fetch the weights of their backbone.
    bare = {"weights_backbone": None} if "weights_backbone" in inspect.signature(builder).parameters else {}
    return builder(weights=None, **bare)


def ncnn_networks(path: Path) -> Iterator[Row]:
    """Yield the networks of a table of layers; each layer has tensors of its own."""
    shapes = {row.network: size_of(row.input) for row in read_evidence() if row.source == "ncnn-benchmark"}
    layers: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            layers[line["model"]].append(line)
    for model, lines in sorted(layers.items()):
        name = network_of("", model)
        size = shapes.get(name) or _NCNN_INPUTS.get(name)
        if size is not None:
            found = amounts_of(_network(model, lines))
            yield name, size, Amounts(found.columns, found.macs, found.parameters, pixels_of(size))


def _network(name: str, lines: Iterable[dict[str, str]]) -> Workload:
    tensors: list[Tensor] = []
    weights: list[Weight] = []
    ops: list[Op] = []
    for line in lines:
        if line["layer"] in _FREE:
            continue
        first = len(tensors)
        tensors += [Tensor(id=first, shape=(int(line["in_elements"]),))]
        tensors += [Tensor(id=first + 1, shape=(int(line["out_elements"]),))]
        names: tuple[str, ...] = ()
        if int(line["params"]):
            names = (f"{first}.weight",)
            weights.append(Weight(name=names[0], shape=(int(line["params"]),), role="weight"))
        ops.append(Op(
            index=len(ops), kind=_kind(line), name=line["layer"], inputs=(first,), outputs=(first + 1,), weights=names,
            macs=int(line["macs"]), attrs={
                "kernel": (int(line["kernel_h"]), int(line["kernel_w"])),
                "stride": (int(line["stride_h"]), int(line["stride_w"])),
                "in_channels": int(line["in_c"]), "function": _FUNCTIONS.get(line["layer"], ""),
            },
        ))  # fmt: skip
    return Workload(name=name, inputs=(0,), outputs=(len(tensors) - 1,), tensors=tuple(tensors), weights=tuple(weights),
                    ops=tuple(ops))  # fmt: skip


def _kind(line: dict[str, str]) -> OpKind:
    kind = _LAYERS.get(line["layer"], OpKind.ELEMENTWISE)
    if kind is OpKind.CONV and line["kernel_h"] == line["kernel_w"] == "1":
        return OpKind.CONV_1X1
    if kind is OpKind.CONV_DEPTHWISE and line["groups"] != line["in_c"]:
        return OpKind.CONV_GROUPED
    return kind


def write_networks(rows: list[Row], path: Path) -> None:
    """Write the table, byte for byte the same for the same rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["network", "input", "macs", "parameters", "pixels", *COLUMNS])
    for name, size, a in sorted(rows, key=lambda row: row[:2]):
        writer.writerow([name, size, *(int(v) for v in (a.macs, a.parameters, a.pixels, *a.columns))])
    write_bytes(path, gzip.compress(text.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
