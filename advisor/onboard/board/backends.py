"""The runtimes that a board may have, for measure.py: Python packages where they import, else command-line tools.

Needs Python 3.8 and nothing else. Part of advisor, Apache License 2.0.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

TOOL_SECONDS = 900  # a tool may build an engine for minutes


class Backend:
    """A runtime. `open` returns a function that runs one inference; a tool's returns the milliseconds of a round."""

    name = ""  # as --runtime names it
    runtime = ""  # as plans name it
    unit = "cpu"
    formats: tuple[str, ...] = ()
    tool = False

    def available(self) -> bool:
        """Whether the board has it."""
        raise NotImplementedError

    def version(self) -> str:
        """Version, or 'unknown'."""
        return "unknown"

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Load a file."""
        raise NotImplementedError


class Package(Backend):
    """A runtime that is a Python package."""

    modules: tuple[str, ...] = ()

    def available(self) -> bool:
        """Whether one of its modules can be imported, and numpy with it."""
        return self.module() is not None

    def module(self) -> Any:
        """Return the first module that can be imported, or None."""
        for name in self.modules:
            try:
                importlib.import_module("numpy")
                return importlib.import_module(name)
            except ImportError:
                continue
        return None

    def version(self) -> str:
        """Return the module's version, or that of its package."""
        module = self.module()
        known = getattr(module, "__version__", "")
        if not known:
            from importlib.metadata import PackageNotFoundError, version

            try:
                known = version(module.__name__.split(".")[0].replace("_", "-"))
            except PackageNotFoundError:
                known = "unknown"
        return str(known)


class OnnxRuntime(Package):
    """ONNX Runtime on the CPU."""

    name = runtime = "onnxruntime"
    formats = ("onnx",)
    modules = ("onnxruntime",)

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Open a session; weights that alone are integers become floats once, as advisor has it."""
        ort = self.module()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
        with open(path, "rb") as file:
            content = file.read()
        if b"DequantizeLinear" in content and b"QuantizeLinear" not in content:
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        types = {"tensor(float16)": "float16", "tensor(double)": "float64", "tensor(uint8)": "uint8",
                 "tensor(int8)": "int8", "tensor(int64)": "int64", "tensor(int32)": "int32"}  # fmt: skip
        feeds = {}
        for one in session.get_inputs():
            shape = [size if isinstance(size, int) and size > 0 else 1 for size in one.shape]
            feeds[one.name] = random_array(shape, types.get(one.type, "float32"))
        return lambda: session.run(None, feeds)


class LiteRt(Package):
    """LiteRT, formerly TensorFlow Lite, with its default delegate on the CPU."""

    name = runtime = "tflite"
    formats = ("tflite",)
    modules = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite")

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Open an interpreter."""
        interpreter = self.module().Interpreter(model_path=path, num_threads=threads)
        interpreter.allocate_tensors()
        for one in interpreter.get_input_details():
            interpreter.set_tensor(one["index"], random_array(one["shape"], one["dtype"]))
        run: Callable[[], Any] = interpreter.invoke
        return run


class Ncnn(Package):
    """Python's ncnn on the CPU; FILE.param lies beside FILE.bin."""

    name = runtime = "ncnn"
    formats = ("param",)
    modules = ("ncnn",)

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Load the net."""
        ncnn = self.module()
        net = ncnn.Net()
        net.opt.num_threads = threads
        if net.load_param(path) or net.load_model(path[: -len("param")] + "bin"):
            raise SystemExit("error: ncnn cannot load " + path)
        mats = [(name, ncnn.Mat(random_array(artefact["input_shape"][1:], "float32"))) for name in net.input_names()]

        def run() -> None:
            extractor = net.create_extractor()
            for name, mat in mats:
                extractor.input(name, mat)
            for name in net.output_names():
                extractor.extract(name)

        return run


class Tool(Backend):
    """A runtime that is a program."""

    tool = True
    program = ""
    places: tuple[str, ...] = ()

    def path(self) -> str | None:
        """Return where the program is, or None."""
        found = [place for place in self.places if os.access(place, os.X_OK)]
        return shutil.which(self.program) or (found[0] if found else None)

    def available(self) -> bool:
        """Whether the program is on the board."""
        return self.path() is not None

    def said(self, *arguments: str) -> str:
        """Run the program and return what it wrote."""
        command = [self.path() or self.program, *arguments]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TOOL_SECONDS, check=False
        )
        said = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            raise SystemExit(f"error: {' '.join(command)} failed: {said.strip()[-500:]}")
        return said

    def figure(self, pattern: str, said: str) -> float:
        """Return the milliseconds that a pattern finds."""
        found = re.search(pattern, said)
        if not found:
            raise SystemExit(f"error: {self.program} says no time that is understood: {said.strip()[-500:]}")
        return float(found.group(1))


class Trtexec(Tool):
    """TensorRT's trtexec: the engine is built once, each round loads it; the time holds both copies."""

    name, program, runtime, unit, formats = "trtexec", "trtexec", "tensorrt", "gpu", ("onnx",)
    places = ("/usr/src/tensorrt/bin/trtexec",)
    flags = {"fp16": ("--fp16",), "int8": ("--int8", "--fp16")}

    def version(self) -> str:
        """Return the version that trtexec prints first: [TensorRT v8502]."""
        command = [self.path() or self.program, "--help"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        found = re.search(r"TensorRT v(\S+?)\]", done.stdout.decode("utf-8", "replace"))
        return found.group(1) if found else "unknown"

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Build the engine."""
        folder = tempfile.TemporaryDirectory(prefix="engine-", dir=os.path.dirname(os.path.abspath(__file__)))
        engine = os.path.join(folder.name, "engine.plan")
        flags = self.flags.get(artefact["precision"], ())
        self.said("--onnx=" + path, "--saveEngine=" + engine, "--skipInference", *flags)
        timed = ("--loadEngine=" + engine, "--warmUp=200", "--duration=1", *flags)

        def timing(_held: Any = folder) -> float:  # the engine goes when nothing times it any more
            return self.figure(r"\bLatency: min = .*?median = ([\d.]+) ms", self.said(*timed))

        return timing


class BenchmarkApp(Tool):
    """OpenVINO's benchmark_app on the CPU, one request at a time."""

    name, program, runtime, formats = "benchmark_app", "benchmark_app", "openvino", ("onnx", "xml")

    def version(self) -> str:
        """Return the version of the package openvino, where there is one."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("openvino")
        except PackageNotFoundError:
            return "unknown"

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Check the file by a first round."""
        timed = ("-m", path, "-d", "CPU", "-hint", "none", "-nireq", "1", "-nthreads", str(threads), "-api", "sync",
                 "-t", "1")  # fmt: skip
        self.said(*timed)
        return lambda: self.figure(r"Median:\s*([\d.]+) ms", self.said(*timed))


class BenchNcnn(Tool):
    """The program benchncnn; it leaves the weights empty, so only its times say something."""

    name, program, runtime, formats = "benchncnn", "benchncnn", "ncnn", ("param",)
    loops = 8

    def open(self, path: str, artefact: dict[str, Any], threads: int) -> Callable[[], Any]:
        """Check the file by a first round; shapes are width, height, channels."""
        shape = ",".join(str(size) for size in reversed(artefact["input_shape"][1:]))
        timed = (str(self.loops), str(threads), "0", "-1", "0", "param=" + path, f"shape=[{shape}]")
        self.said(*timed)
        return lambda: self.figure(r"avg =\s*([\d.]+)", self.said(*timed))


ALL = (OnnxRuntime(), LiteRt(), Ncnn(), Trtexec(), BenchmarkApp(), BenchNcnn())


def choose(kit: dict[str, Any], name: str | None = None) -> Backend:
    """Return the runtime named, else that of the plan, else the first that the board has for these files."""
    formats = {artefact["format"] for artefact in kit["artefacts"]}
    fitting = [one for one in ALL if formats <= set(one.formats) and name in (None, one.name)]
    fitting.sort(key=lambda one: one.runtime != kit["runtime"])
    found = [one for one in fitting if one.available()]
    if not found:
        names = ", ".join(one.name for one in fitting) or "none that is known"
        kinds = ", .".join(sorted(formats))
        raise SystemExit(f"error: this board has no runtime for .{kinds} files; they run with: {names}")
    return found[0]


def random_array(shape: Any, kind: Any) -> Any:
    """Return random input: normal floats, whole numbers from 0 to 127."""
    import numpy

    random, kind = numpy.random.RandomState(0), numpy.dtype(kind)
    if kind.kind == "f":
        return random.standard_normal([int(size) for size in shape]).astype(kind)
    return random.randint(0, 128, [int(size) for size in shape]).astype(kind)
