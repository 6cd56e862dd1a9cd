"""Carrying steps out on the digits network without measuring anything."""

import functools
import tempfile
from pathlib import Path

from advisor.schema import Plan

from .digits import loaded, write_digits


@functools.cache
def few_images():
    """Return a folder of 200 digits."""
    return write_digits(Path(tempfile.mkdtemp(prefix="few-digits-")), 200)


def carried(*steps, data=None, journal=None, seed=0):
    """Return what `carry_out` makes of the digits network."""
    from advisor import runtimes
    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader
    from advisor.execution.steps import Workshop, carry_out
    from advisor.profiling import profile
    from advisor.progress import Silent
    from advisor.techniques.subject import Subject

    model = loaded()
    folder = Path(tempfile.mkdtemp(prefix="carried-")) if journal is None else journal.work
    images = open_data(data or few_images(), 10, seed)
    reader = ImageReader(model.preprocessing, 1)
    shop = Workshop(images, reader, runtimes.get("onnxruntime"), None, folder, None, seed, Silent(), journal)
    start = Subject(model.input_shape, folder, module=model.module, workload=profile(model, batch=1))
    return carry_out(Plan(steps=steps, runtime="onnxruntime"), start, shop)
