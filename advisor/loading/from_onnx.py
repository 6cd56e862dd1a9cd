"""From an ONNX file to a model."""

from pathlib import Path

from .model import LoadedModel
from .onnx_files import onnx_classes, onnx_inputs, onnx_opset, open_onnx
from .onnx_tensors import external_files
from .preprocessing import preprocessing
from .request import Request


def from_onnx(path: Path, request: Request) -> LoadedModel:
    """Open an ONNX file; this needs no framework."""
    model = open_onnx(path)
    files = (path, *external_files(model, path))
    request.compare_digests(files)
    inputs = onnx_inputs(model, request.inputs, request.batch, path)
    beside = ", weights beside it" if len(files) > 1 else ""
    return LoadedModel(
        module=None,
        onnx_path=path,
        name=path.stem,
        source=str(path),
        format="onnx",
        inputs=inputs,
        preprocessing=preprocessing(inputs[0].shape, None),
        random_weights=False,
        classes=onnx_classes(model),
        arch=None,
        spec=request.spec(str(path.resolve()), inputs, files),
        kind=f"ONNX, opset {onnx_opset(model)}{beside}",
        notes=(f"the file holds a whole network; {request.arch} was not needed",) if request.arch else (),
    )
