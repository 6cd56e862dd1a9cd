"""How runtimes execute graphs, as data: the records of `knowledge/prediction/fusion.yaml`."""

from functools import lru_cache
from typing import Literal

from advisor.prediction.figures import read_figures
from advisor.schema import Cpu, Record


class Integer(Record):
    """How a runtime executes quantized graphs.

    `quantizes`: functions whose operands the quantizer turns into integers; `kernels`: functions with an integer
    kernel (both besides layers with MACs). What has no kernel runs in float between a dequantize and a quantize node.
    `transformer_float`: functions that stay float where a network has both a layer norm and a softmax.
    """

    quantizes: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    transformer_float: tuple[str, ...] = ()
    removable: tuple[str, ...] = ()  # activations that clipping the quantized range makes superfluous
    float_moves: tuple[str, ...] = ()  # copies without an integer kernel
    spelled_out: tuple[str, ...] = ()  # activations written as a gate and a product
    source: str = ""


class Blocks(Record):
    """A layout of channels in blocks for float convolutions.

    Convolutions with fewer input channels than a block read the plain layout; others need input channels in multiples
    of `multiple`; grouped ones need whole blocks per group. Borders cost a reorder operation. `sizes`: by instruction
    set, the first that a CPU has; none of them: no such layout. `size` is that of the CPU where the rules were checked.
    """

    size: int
    sizes: tuple[tuple[str, int], ...] = ()
    multiple: int
    activations: tuple[str, ...] = ()  # run on blocks
    source: str = ""


class Pattern(Record):
    """One pass over the graph, by the name that `advisor.prediction.fusion` knows it by, and who does it.

    `precisions`: graphs it is for; dynamic quantization leaves the graph a float one.
    """

    name: str
    says: str
    precisions: tuple[Literal["float", "int8"], ...]
    runtimes: tuple[str, ...]
    source: str


class FusionStyle(Record):
    """What a runtime executes inside a layer.

    `chains`: any run of pointwise operations (rescaling between int8 and float included) becomes one kernel.
    `linear_activations`: those fused into float linear layers, where they differ; integer ones then fuse none.
    `float_passes` and `int8_passes` are the names of the patterns for this runtime, in order.
    """

    activations: tuple[str, ...] = ()
    activations_int8: tuple[str, ...] = ()
    linear_activations: tuple[str, ...] | None = None
    residual_add: bool = False
    residual_add_int8: bool = False
    chains: bool = False
    batch_norm: bool = True  # folded into the layer before it
    float_passes: tuple[str, ...] = ()
    int8_passes: tuple[str, ...] = ()
    integer: Integer | None = None
    blocks: Blocks | None = None
    source: str = ""


class FusionFile(Record):
    """The file `fusion.yaml`: styles by runtime (`default` for those not named), and patterns in order of their use."""

    default: FusionStyle
    runtimes: dict[str, FusionStyle] = {}
    patterns: tuple[Pattern, ...] = ()
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> FusionFile:
    """Read `knowledge/prediction/fusion.yaml`."""
    return read_figures("fusion", FusionFile)


@lru_cache(maxsize=64)
def style_of(runtime: str, block: int | None = None) -> FusionStyle:
    """Return how this runtime fuses, with channels in blocks of `block` (None: as checked; 1: no such layout)."""
    known = figures()
    mine = [pattern for pattern in known.patterns if runtime in pattern.runtimes]
    style = known.runtimes.get(runtime, known.default)
    changes: dict[str, object] = {
        f"{p}_passes": tuple(m.name for m in mine if p in m.precisions) for p in ("float", "int8")
    }
    if style.blocks is not None and block is not None:
        changes["blocks"] = style.blocks.model_copy(update={"size": block}) if block > 1 else None
    return style.model_copy(update=changes) if mine else style


def block_of(runtime: str, cpu: Cpu | None) -> int:
    """Return the size of the runtime's channel blocks on this CPU; 1 where it has no such layout."""
    blocks = style_of(runtime).blocks
    if blocks is None or cpu is None:
        return 1
    return next((size for name, size in blocks.sizes if name in cpu.isa), 1)
