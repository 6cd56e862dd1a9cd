"""The .param file of ncnn: one line a layer with its kind, name, blobs and numbered settings."""

from dataclasses import dataclass, field, replace

MAGIC = "7767517"
INPUT = "in0"
_INT8 = {
    "Convolution": "8",
    "ConvolutionDepthWise": "8",
    "InnerProduct": "8",
    "Gemm": "18",
}  # setting of integer layers


@dataclass(frozen=True)
class Layer:
    """One layer; `settings` by their number, as they are written."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def integer(self) -> bool:
        """Whether the layer multiplies integers."""
        return int(self.settings.get(_INT8.get(self.kind, ""), "0")) > 0

    def number(self, key: str) -> int:
        """Return a setting as a whole number, 0 where it is left out."""
        return int(self.settings.get(key, "0"))

    @property
    def text(self) -> str:
        """The line."""
        settings = " ".join(f"{key}={value}" for key, value in self.settings.items())
        blobs = " ".join((*self.inputs, *self.outputs))
        return f"{self.kind:24s} {self.name:24s} {len(self.inputs)} {len(self.outputs)} {blobs} {settings}".rstrip()


@dataclass(frozen=True)
class Param:
    """All layers of a file."""

    layers: tuple[Layer, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input with a batch of one; empty where the file does not tell."""
        first = next(layer for layer in self.layers if layer.kind == "Input")
        sizes = [first.number(key) for key in ("2", "1", "0")]  # channels, height, width
        return (1, *(size for size in sizes if size)) if any(sizes) else ()

    def with_input(self, shape: tuple[int, ...]) -> "Param":
        """Return the layers with the shape of the input, batch included, written into their first line."""
        settings = {str(place): str(size) for place, size in enumerate(reversed(shape[1:]))}
        made = (replace(one, settings=settings) if one.kind == "Input" else one for one in self.layers)
        return Param(tuple(made))

    @property
    def text(self) -> str:
        """The file."""
        blobs = len({name for layer in self.layers for name in layer.outputs})
        lines = [MAGIC, f"{len(self.layers)} {blobs}", *(layer.text for layer in self.layers)]
        return "\n".join(lines) + "\n"


def read_param(text: str) -> Param:
    """Read a file; ValueError says what is wrong with it."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) < 3 or lines[0] != [MAGIC]:
        raise ValueError("its first line is another")
    layers = tuple(_layer(words) for words in lines[2:])
    if not any(layer.kind == "Input" for layer in layers):
        raise ValueError("it has no input")
    return Param(layers)


def _layer(words: list[str]) -> Layer:
    if len(words) < 4 or not (words[2].isdigit() and words[3].isdigit()):
        raise ValueError(f"the line {' '.join(words)[:60]!r} is no layer")
    inputs, outputs = int(words[2]), int(words[3])
    blobs = words[4 : 4 + inputs + outputs]
    if len(blobs) != inputs + outputs:
        raise ValueError(f"the layer {words[1]!r} lacks blobs")
    settings = dict(word.split("=", 1) for word in words[4 + inputs + outputs :] if "=" in word)
    return Layer(words[0], words[1], tuple(blobs[:inputs]), tuple(blobs[inputs:]), settings)
