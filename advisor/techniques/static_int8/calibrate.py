"""Finding activation ranges with onnxruntime's calibrators, a few batches at a time so that memory stays bounded."""

import contextlib
import io
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.refusing import refusing

from . import mse
from .ahead import Ahead

CHUNK = 8  # batches whose activations are held at once; the histogram methods keep them all until merged
PERCENTILE = 99.99  # share of activation values inside the range; outliers beyond it are clipped
METHODS = {"percentile": "Percentile", "entropy": "Entropy", "minmax": "MinMax", "mse": "Percentile"}


def calibrate(
    model: Path, batches: Iterator[Any], method: str, folder: Path, *, symmetric: bool = False
) -> tuple[int, Path]:
    """Run the images through `model`; return how many were seen and the file of ranges by tensor."""
    import onnx
    from onnxruntime.quantization import CalibrationMethod, create_calibrator
    from onnxruntime.quantization.calibrate import TensorsData, save_tensors_data
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    name = onnx.load(model, load_external_data=False).graph.input[0].name
    augmented = folder / "augmented.onnx"
    extra = {"percentile": PERCENTILE, "symmetric": False} if METHODS[method] == "Percentile" else {}
    seen = 0
    with refusing("onnxruntime cannot find ranges in this graph", "Choose ranges by minmax, or half precision."):
        calibrator = create_calibrator(
            model,
            sorted(set(QLinearOpsRegistry) | set(QDQRegistry)),
            augmented_model_path=str(augmented),
            calibrate_method=getattr(CalibrationMethod, METHODS[method]),
            extra_options=extra,
        )
        ahead = Ahead(augmented)
        calibrator.infer_session = ahead
        with contextlib.closing(ahead), contextlib.redirect_stdout(io.StringIO()):  # the calibrators print
            while (first := next(batches, None)) is not None:
                reader = ahead.reader(name, chain([first], islice(batches, CHUNK - 1)))
                calibrator.collect_data(reader)
                seen += reader.seen
            if not seen:
                raise NotApplicable("static_int8 got no calibration images")
            if method == "mse":
                least = mse.ranges(calibrator.collector.get_histogram_dict(), symmetric=symmetric)
                found = TensorsData(CalibrationMethod.MinMax, least)
            else:
                found = calibrator.compute_data()
    ranges = folder / "ranges.json"
    save_tensors_data(found, ranges)
    augmented.unlink(missing_ok=True)
    return seen, ranges
