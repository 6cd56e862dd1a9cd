"""Shapes that pnnx leaves to be worked out while a network runs, worked out once.

pnnx puts a linear layer over several axes between two Reshapes, the second of which takes its sizes from the blob
before. In ncnn 1.0.20261020 such a Reshape of packed values takes 30 times as long as the product; with plain sizes
ConvNeXt-Tiny is eleven times as fast. The sizes are read off one run, in a process of its own.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from advisor.errors import RunError

from .apart import python_apart
from .ncnn_param import INPUT, Layer, Param, read_param

EXPRESSION = "6"  # setting of a Reshape: sizes as expressions of the shapes of its inputs
_SIDES = {1: "w", 2: "wh", 3: "whc", 4: "whdc"}  # of blobs by their number of axes, the innermost first
_SETTINGS = {"w": "0", "h": "1", "d": "11", "c": "2"}  # of a Reshape


def with_sizes(param: Param, folder: Path, weights: bytes) -> Param:
    """Return the layers with plain sizes in every Reshape that can have them; where ncnn cannot run, as they are."""
    wanted = [layer.outputs[0] for layer in param.layers if _expressed(param, layer)]
    if not wanted:
        return param
    file = folder / "sizes.param"
    file.write_text(param.text, encoding="utf-8")
    file.with_suffix(".bin").write_bytes(weights)
    try:
        shapes = json.loads(python_apart("advisor.runtimes.ncnn_shapes", str(file), *wanted))
    except RunError:
        return param
    made = [_plain(layer, shapes[layer.outputs[0]]) if layer.outputs[0] in shapes else layer for layer in param.layers]
    return Param(tuple(_without_spare(made, param)))


def _expressed(param: Param, layer: Layer) -> bool:
    """Whether a Reshape computes its sizes, from blobs that are there for nothing else but copies."""
    copies = {name for one in param.layers if one.kind == "Split" for name in one.outputs}
    return layer.kind == "Reshape" and EXPRESSION in layer.settings and copies.issuperset(layer.inputs[1:])


def _plain(layer: Layer, shape: dict[str, int]) -> Layer:
    settings = {_SETTINGS[side]: str(size) for side, size in shape.items()}
    return replace(layer, inputs=layer.inputs[:1], settings=settings)


def _without_spare(layers: list[Layer], before: Param) -> list[Layer]:
    """Take copies away that nothing reads any more: ncnn would take them for outputs of the network."""
    read, was_read = ({name for layer in some for name in layer.inputs} for some in (layers, before.layers))
    return [
        replace(layer, outputs=tuple(n for n in layer.outputs if n in read or n not in was_read))
        if layer.kind == "Split" else layer
        for layer in layers
    ]  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print the shapes of blobs of a file; the command line names both."""
    import ncnn
    import numpy as np

    path, names = Path(arguments[0]), arguments[1:]
    shape = read_param(path.read_text(encoding="utf-8")).input_shape
    net = ncnn.Net()
    net.opt.use_packing_layout = False
    net.load_param(str(path))
    net.load_model(str(path.with_suffix(".bin")))
    image = np.zeros(shape[1:], np.float32)
    extractor = net.create_extractor()
    extractor.set_light_mode(False)  # blobs in the middle stay
    extractor.input(INPUT, ncnn.Mat(image))
    found = {}
    for name in names:
        failed, blob = extractor.extract(name)
        if not failed:
            found[name] = {side: getattr(blob, side) for side in _SIDES[blob.dims]}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
