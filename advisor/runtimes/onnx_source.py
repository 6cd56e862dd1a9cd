"""What a runtime's file is made from: the ONNX file of a run, one given, or one exported from a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable, RunError, first_line

_SOURCES = {"shipped": ("shipped", "shipped-onnx"), "baseline": ("baseline", "baseline-onnx")}


@dataclass(frozen=True)
class Source:
    """An ONNX file, where its results go by default and under which name, and which files must not be written over."""

    onnx: Path
    told: str
    beside: Path
    stem: str
    quantized: bool
    taken: frozenset[Path]


def source_of(artefact: str | Path, role: str, folder: Path, options: dict[str, Any]) -> Source:
    """Return the ONNX file of a run folder, of a file or of a model; `folder` takes what has to be exported."""
    path = Path(artefact)
    if path.is_dir():
        file = onnx_of_run(path, role)
        taken = frozenset(one.resolve() for one in path.iterdir() if one.is_file())
        return Source(file, f"{file.name} of the run {path}", path, f"exported-{role}", _checked(file), taken)
    if path.suffix == ".onnx":
        if not path.is_file():
            raise RunError(
                "there is no such file", where=str(path), remedy="Give a run folder, an .onnx file or a model."
            )
        file, quantized = _whole(path, folder)
        return Source(file, str(path), path.parent, path.stem, quantized, frozenset({path.resolve()}))
    return _exported(str(artefact), folder, options)


def onnx_of_run(folder: Path, role: str) -> Path:
    """Return the ONNX file that a run shipped, or that of its baseline."""
    from advisor.execution.store import read_run

    files = {one.role: folder / one.file for one in read_run(folder).artefacts}
    found = next((files[name] for name in reversed(_SOURCES[role]) if files.get(name, Path()).suffix == ".onnx"), None)
    if found is None:
        raise NotApplicable(
            f"the run holds no ONNX file of its {role} model",
            where=str(folder),
            remedy="Apply the plan in onnxruntime, or export from the model itself.",
        )
    return found


def _exported(spec: str, folder: Path, options: dict[str, Any]) -> Source:
    from advisor.loading import load

    from .onnx_export import export_onnx

    loaded = load(spec, **options)
    given = Path(spec)
    beside, stem = (given.parent, given.stem) if given.is_file() else (Path(), loaded.name)
    taken = frozenset({given.resolve()}) if given.is_file() else frozenset()
    if loaded.module is None:
        if loaded.onnx_path is None:
            raise NotApplicable(
                "the model has neither a module nor an ONNX file", where=spec, remedy="Give another form."
            )
        file, quantized = _whole(loaded.onnx_path, folder)
        return Source(file, spec, beside, stem, quantized, taken)
    if len(loaded.inputs) > 1:
        raise NotApplicable(
            f"the model has {len(loaded.inputs)} inputs", where=spec, remedy="Only models of one image."
        )
    file = export_onnx(loaded.module, loaded.input_shape, folder / "source.onnx")
    return Source(file, spec, beside, stem, quantized=False, taken=taken)


def _whole(file: Path, folder: Path) -> tuple[Path, bool]:
    """Return the file, once it is checked, with all of its weights inside, and whether it holds quantize nodes."""
    from advisor.loading.onnx_tensors import one_file

    quantized = _checked(file)
    return one_file(file, folder), quantized


def _checked(file: Path) -> bool:
    """Refuse what is no ONNX file, or names weights outside of its own folder; tell whether it holds quantize nodes."""
    import onnx

    try:
        model = onnx.load(file, load_external_data=False)
    except Exception as error:  # protobuf raises classes of its own
        raise RunError(f"this is no ONNX file: {first_line(error)}", where=str(file)) from error
    for tensor in model.graph.initializer:
        where = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        if tensor.data_location == onnx.TensorProto.EXTERNAL and not _inside(file.parent, where):
            raise RunError(
                f"the file takes weights from outside of its folder: {where!r}",
                where=str(file),
                remedy="Do not use it, or save it anew with its weights inside.",
            )
    return _has_quantize_nodes(model)


def quantizes(file: Path) -> bool:
    """Whether an ONNX file turns activations into integers; NotApplicable where it is no ONNX file."""
    import onnx

    try:
        return _has_quantize_nodes(onnx.load(file, load_external_data=False))
    except Exception as error:  # protobuf raises classes of its own
        raise NotApplicable(f"this is no ONNX file: {first_line(error)}", where=str(file)) from error


def _has_quantize_nodes(model: Any) -> bool:
    kinds = {node.op_type for node in model.graph.node}
    return bool(kinds & {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"})


def _inside(folder: Path, location: str) -> bool:
    root = folder.resolve()
    return bool(location) and (root / location).resolve().is_relative_to(root)
