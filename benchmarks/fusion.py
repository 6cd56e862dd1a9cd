"""The fused graph against the graph that onnxruntime executes, for timm networks in three forms.

    python benchmarks/fusion.py [--kept FOLDER]

Writes docs/fusion.md. Files are made by the project's own exporter and techniques; onnxruntime writes down its own
optimised graph (all optimisations on, CPU). Nodes are counted by class on both sides. `--kept` is where graphs are
remembered between runs (see benchmarks/artefacts.py).
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnxruntime
from artefacts import NETWORKS, UNSEEN, made, quiet, workloads

from advisor.prediction.fusing.style import figures
from advisor.prediction.fusion import fuse
from advisor.schema import Op, OpKind, Workload

ROOT = Path(__file__).resolve().parents[1]
FORMS = ("fp32", "int8", "int8-dynamic")
LAYERS = ("convolution", "depthwise", "linear", "product")
OTHERS = ("activation", "elementwise", "norm", "softmax", "pool", "reduce", "concat", "resize", "quantize")
LAYOUT = ("reorder", "move")
CLASSES = (*LAYERS, *OTHERS, *LAYOUT)
_OPS = {
    "activation": "Gelu QuickGelu HardSwish HardSigmoid Sigmoid Relu Clip LeakyRelu QLinearSigmoid QLinearLeakyRelu"
    " Tanh Elu BiasGelu FastGelu Erf PRelu Softplus",
    "elementwise": "Add Mul Sub Div QLinearAdd QLinearMul Pow Sqrt Sum Max Min Sin Cos Not Reciprocal Exp Neg Abs"
    " Where",
    "norm": "LayerNormalization SkipLayerNormalization BatchNormalization InstanceNormalization GroupNormalization"
    " SimplifiedLayerNormalization",
    "softmax": "Softmax QLinearSoftmax",
    "reorder": "ReorderInput ReorderOutput",
    "quantize": "QuantizeLinear DequantizeLinear DynamicQuantizeLinear",
    "concat": "Concat QLinearConcat",
    "resize": "Resize Upsample",
    "move": "Transpose Slice Gather Split Pad Expand DepthToSpace SpaceToDepth Tile Cast",
    "": "Reshape Squeeze Unsqueeze Flatten Identity Constant Shape",
}
_CLASS_OF = {name: kind for kind, names in _OPS.items() for name in names.split()}
_MINE = {
    OpKind.CONV_DEPTHWISE: "depthwise", OpKind.LINEAR: "linear", OpKind.MATMUL: "product", OpKind.ATTENTION: "product",
    OpKind.NORM_BATCH: "norm", OpKind.NORM_LAYER: "norm", OpKind.VIEW: "", OpKind.OTHER: "",
}  # fmt: skip


def executed_class(node: Mapping[str, Any]) -> str:
    """Return the class of a node of onnxruntime's graph; "" for what moves no data or touches weights alone."""
    name, constants = node["op"], node["constants"]
    if "Conv" in name:
        weight = constants.get(node["inputs"][3 if name == "QLinearConv" else 1])
        return "depthwise" if weight and node["attrs"].get("group", 1) > 1 and weight[1] == 1 else "convolution"
    if name == "Einsum":  # as exporters write them: products of activations with tables of positions, head by head
        return "product"
    if "Gemm" in name or "MatMul" in name:
        other = node["inputs"][3 if name == "QLinearMatMul" else 1]
        return "linear" if "Gemm" in name or other in constants else "product"
    if "Pool" in name:
        return "pool"
    if name.startswith("Reduce") or name == "CumSum":
        return "reduce"
    if name == "DequantizeLinear" and node["inputs"][0] in constants:
        return ""
    return _CLASS_OF.get(name, name)


def fused_class(op: Op) -> str:
    """Return the class of an operation of the fused graph."""
    function = str(op.attrs.get("function", ""))
    if op.kind is OpKind.MOVE:
        return "reorder" if function == "reorder" else "move"
    if op.kind is OpKind.ELEMENTWISE and function.startswith("clamp"):
        return "activation"
    if op.kind in _MINE:
        return _MINE[op.kind]
    return "convolution" if op.kind.startswith("conv_") or op.kind is OpKind.CONV else str(op.kind)


def counted(classes: Iterable[str]) -> Counter[str]:
    """Count by class, without what costs nothing."""
    return Counter(name for name in classes if name)


@dataclass(frozen=True)
class Case:
    """One file: nodes by class in onnxruntime's graph and in ours, and the share of MACs in layers that agree."""

    network: str
    form: str
    theirs: Counter[str]
    ours: Counter[str]
    macs: dict[str, int]  # of our graph by class

    def agrees(self, classes: Iterable[str]) -> bool:
        """Whether all of these classes have equal counts."""
        return all(self.theirs[name] == self.ours[name] for name in classes)

    @property
    def known(self) -> tuple[str, ...]:
        """All classes but layout; unknown ones of onnxruntime's graph included."""
        return tuple(sorted({*self.theirs, *self.ours, *LAYERS, *OTHERS} - set(LAYOUT)))


def case(network: str, form: str, nodes: Iterable[Mapping[str, Any]], planned: Workload) -> Case:
    """Compare one file."""
    fused = fuse(planned, "onnxruntime")
    macs: dict[str, int] = {}
    for op in fused.ops:
        macs[fused_class(op)] = macs.get(fused_class(op), 0) + op.macs
    return Case(network, form, counted(map(executed_class, nodes)), counted(map(fused_class, fused.ops)), macs)


def share(matched: int, total: int) -> float:
    """A share that is one of nothing."""
    return matched / total if total else 1.0


def matched(cases: list[Case], classes: Iterable[str]) -> tuple[int, int]:
    """Return how many nodes of these classes occur in both graphs, and how many in the larger of the two."""
    both = sum(min(c.theirs[name], c.ours[name]) for c in cases for name in classes)
    return both, sum(max(c.theirs[name], c.ours[name]) for c in cases for name in classes)


def main() -> None:
    """Compare and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "artefacts")
    kept = parser.parse_args().kept
    quiet()
    seen, unseen = compared(NETWORKS, kept), compared(UNSEEN, kept)
    both = seen + unseen
    page = PAGE.format(
        version=onnxruntime.__version__, day=datetime.now(UTC).date(), seen=len(NETWORKS), unseen=len(UNSEEN),
        summary="\n".join(_summary(seen)), held_out="\n".join(_summary(unseen)), classes="\n".join(_by_class(both)),
        differing="\n".join(_differing(both)), patterns="\n".join(_patterns()), layout="\n".join(_layout(both)),
    )  # fmt: skip
    (ROOT / "docs/fusion.md").write_text(page, encoding="utf-8")
    print("\n".join((*_summary(seen), "", *_summary(unseen), "", *_differing(both))))


def compared(networks: Iterable[str], kept: Path) -> list[Case]:
    """Compare all files of these networks; a form that cannot be made is missing."""
    cases = []
    for name in networks:
        planned, files = workloads(name, kept), made(name, kept)
        cases += [case(name, form, files[form].nodes, planned[form]) for form in FORMS if form in files]
    return cases


def _patterns() -> Iterable[str]:
    for pattern in figures().patterns:
        who = ", ".join(pattern.runtimes)
        yield f"| {pattern.name} | {', '.join(pattern.precisions)} | {who} | {pattern.says} |"


def _summary(cases: list[Case]) -> Iterable[str]:
    for form in FORMS:
        mine = [c for c in cases if c.form == form]
        layers = sum(c.agrees(LAYERS) for c in mine)
        same = sum(c.agrees(c.known) for c in mine)
        macs = share(
            sum(v for c in mine for name, v in c.macs.items() if c.agrees((name,))),
            sum(v for c in mine for v in c.macs.values()),
        )
        nodes = share(*matched(mine, (*LAYERS, *OTHERS)))
        everything = share(*matched(mine, CLASSES))
        yield (
            f"| {form} | {len(mine)} | {layers} | {same} ({same / len(mine):.0%}) | {macs:.1%} | {nodes:.2%} | "
            f"{everything:.2%} |"
        )


def _by_class(cases: list[Case]) -> Iterable[str]:
    for name in CLASSES:
        cells = []
        for form in FORMS:
            mine = [c for c in cases if c.form == form and (c.theirs[name] or c.ours[name])]
            same = sum(c.agrees((name,)) for c in mine)
            cells.append(f"{same} of {len(mine)} | {share(*matched(mine, (name,))):.1%}" if mine else "- | -")
        yield f"| {name} | " + " | ".join(cells) + " |"


def _differing(cases: list[Case]) -> Iterable[str]:
    for c in cases:
        apart = [f"{name} {c.theirs[name]} / {c.ours[name]}" for name in c.known if not c.agrees((name,))]
        if apart:
            yield f"| {c.network} | {c.form} | {', '.join(apart)} |"


def _layout(cases: list[Case]) -> Iterable[str]:
    for name in dict.fromkeys(c.network for c in cases):
        cells = []
        for form in FORMS:
            found = [c for c in cases if c.network == name and c.form == form]
            cells += [f"{c.theirs[kind]} / {c.ours[kind]}" for c in found for kind in LAYOUT] or ["-", "-"]
        yield f"| {name} | " + " | ".join(cells) + " |"


PAGE = """# The graph as onnxruntime executes it

Written by `python benchmarks/fusion.py` (onnxruntime {version}, CPU with AVX-512, {day}). Do not edit.

A prediction counts what a runtime executes, not what the network's author wrote. `advisor.prediction.fusion.fuse`
rewrites the planned network into that graph; what is done for a runtime is listed in
`knowledge/prediction/fusion.yaml`. Here its result is compared with the graph that onnxruntime itself saves with all
optimisations on, for timm networks as `advisor apply` writes them.

{seen} networks that were in view while the rules were written:

| form | files | layers exact | all but layout exact | MACs in exact classes | nodes matched | with layout |
|---|---:|---:|---:|---:|---:|---:|
{summary}

{unseen} networks that no rule was written for:

| form | files | layers exact | all but layout exact | MACs in exact classes | nodes matched | with layout |
|---|---:|---:|---:|---:|---:|---:|
{held_out}

*Layers*: convolutions, depthwise convolutions, linear layers, products of activations. *All but layout*: also
activations, arithmetic, norms, softmax, pools, reductions, concatenations, resizes and quantize nodes. *Nodes matched*:
the smaller of both counts by the larger, summed over classes and files. Views that move no data and nodes that touch
weights alone are not counted.

## By class

Files with equal counts of those where the class occurs, and the share of nodes matched.

| class | fp32 files | nodes | int8 files | nodes | int8-dynamic files | nodes |
|---|---:|---:|---:|---:|---:|---:|
{classes}

## Where counts differ

Nodes of onnxruntime's graph / of ours, layout left out.

| network | form | classes |
|---|---|---|
{differing}

What is left is rescaling, a dequantize and a quantize node in a row, that onnxruntime does not remove where its
transposes have moved past it; most of it on small tensors.

## Layout

Reorders at the borders of blocked regions, and moves (transposes, slices, splits, pads, ...): onnxruntime / ours.
Transposes of one value per channel, which onnxruntime leaves behind global pools, are free and not modelled.

| network | fp32 reorder | move | int8 reorder | move | int8-dynamic reorder | move |
|---|---:|---:|---:|---:|---:|---:|
{layout}

## Patterns

In the order of their use (`knowledge/prediction/fusion.yaml`); dynamic int8 keeps activations in float.

| pattern | graphs | runtimes | what it does |
|---|---|---|---|
{patterns}

## What the rules say

- **Float**: batch norms and constant scales go into the convolution before them; activations too where nothing else
  reads the convolution. Convolutions run on channels in blocks of 16 where they have fewer input channels than a block
  or a multiple of 4; grouped ones need whole blocks per group. Inside such a region sums join a convolution. A reorder
  stands at every border: around the product of squeeze-and-excite, before reshapes, at concatenations of part blocks.
- A batch norm that no layer takes in becomes a depthwise 1x1 convolution inside a blocked region.
- SiLU is one node (QuickGelu); hard-swish is part of a blocked convolution, else a hard-sigmoid and a product. GELU
  and layer norms stand alone; a layer norm takes the sum before it where nothing else reads that sum. Scales and
  transposes before a product of activations become part of it; softmax does not.
- **Static int8**: convolutions, linear layers, products, sums, concatenations, sigmoids, softmax and pools have integer
  kernels; means, layer norms, GELU, hard-sigmoid, batch norms and pads run in float, with a dequantize node before and
  a quantize node after. SiLU is a sigmoid and a product, both on integers. Clipping is free. Convolutions have channels
  last, with transposes at the borders.
- **Dynamic int8**: a linear layer quantizes its input itself; layers that read one tensor share a quantize node.

The block of 16 is that of CPUs with AVX-512. Other x86 CPUs have blocks of 8, standard builds for Arm none
(`block_of`); they follow the same rules, which were not checked there.
"""


if __name__ == "__main__":
    main()
