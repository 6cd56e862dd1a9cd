"""Forged TorchScript and torch.export archives: each would touch its canary if anything of it were executed."""

import io
import json
import os
import pickle
import zipfile

import torch
from torch import nn

IMAGE = (1, 3, 8, 8)


class Net(nn.Module):
    """A network with a convolution, a normalisation and a classifier."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.bn1(self.conv1(x))).mean((2, 3)))


class Shell:
    """Touches its canary when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def script(path, module=None):
    torch.jit.save(torch.jit.script((module or Net()).eval()), path)
    return path


def exported(path, module=None, *, open_batch=True, shape=IMAGE):
    axes = ({0: torch.export.Dim("b", min=1, max=64)},) if open_batch else None
    example = torch.zeros(2 if open_batch else shape[0], *shape[1:])
    written = io.BytesIO()  # to a path, torch writes only names that end in .pt2 without a warning
    torch.export.save(torch.export.export((module or Net()).eval(), (example,), dynamic_shapes=axes), written)
    path.write_bytes(written.getvalue())
    return path


def rewrite(path, changes, extra=None):
    """Replace entries whose name ends as a key does by what the function makes of them; add the extra ones."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    root = next(iter(entries)).split("/")[0]
    for ending, change in changes.items():
        (name,) = [n for n in entries if n.endswith(ending)]
        entries[name] = change(entries[name])
    entries |= {f"{root}/{name}": content for name, content in (extra or {}).items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def _forward(body):
    """Return an attack whose forward method is `body`; CANARY in it stands for the path."""

    def build(path, canary):
        code = f"""
class Net(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
    {body.replace("CANARY", str(canary))}
""".encode()
        (name,) = [n for n in zipfile.ZipFile(script(path)).namelist() if n.endswith("script_attacks.py")]
        return rewrite(path, {name: lambda _: code})

    return build


def _pickled(ending):
    def build(path, canary):
        return rewrite(script(path), {ending: lambda _: pickle.dumps(Shell(canary), 2)})

    return build


def _setstate(path, canary):
    code = f"""
  def __setstate__(self: __torch__.Net, state: Dict[str, Tensor]) -> NoneType:
    _0 = torch.from_file("{canary}", True, 10)
    return None
""".encode()
    (name,) = [n for n in zipfile.ZipFile(script(path)).namelist() if n.endswith("script_attacks.py")]
    return rewrite(path, {name: lambda old: old + code})


def _data(old, new):
    def build(path, canary):
        def change(content):
            assert old in content
            return content.replace(old, new(canary) if callable(new) else new)

        return rewrite(script(path), {"/data.pkl": change})

    return build


def _text(value):
    """Return a text as a pickle holds it."""
    return b"X" + len(value).to_bytes(4, "little") + value


SCRIPTS = {
    "creates a file": _forward('return torch.from_file("CANARY", True, 10)'),
    "creates a file by the full name": _forward('return ops.aten.from_file("CANARY", True, 10)'),
    "saves a tensor": _forward('torch.save(x, "CANARY")\n    return x'),
    "writes a file by torchvision": _forward('_0 = ops.image.write_file("CANARY", x)\n    return x'),
    "reads a file by torchvision": _forward('return ops.image.read_file("/etc/passwd")'),
    "imports": _forward('_0 = __import__("os").system("touch CANARY")\n    return x'),
    "evaluates": _forward('_0 = eval("open(\'CANARY\', \'w\')")\n    return x'),
    "opens": _forward('_0 = open("CANARY", "w")\n    return x'),
    "climbs to Python": _forward('return x.__class__.__base__.__subclasses__()'),
    "climbs by getattr": _forward('return getattr(x, "__class__")'),
    "imports as a statement": _forward("import os\n    return x"),
    "prints": _forward("print(x)\n    return x"),
    "loads a library": _forward('_0 = torch.ops.load_library("CANARY")\n    return x'),
    "calls torch.hub": _forward('_0 = torch.hub.load("CANARY")\n    return x'),
    "loops for ever": _forward("while True:\n      pass\n    return x"),
    "loops for very long": _forward("for i in range(9000000000000000000):\n      _0 = torch.add(i, 1)\n    return x"),
    "calls itself": _forward("return (self).forward(x, )"),
    "makes a tensor that fits nowhere": _forward("return torch.zeros([1000000, 1000000])"),
    "doubles a list": _forward(
        "a = [1, 2]\n    for i in range(60):\n      a = torch.add(a, a)\n    return torch.tensor(a)"
    ),
    "doubles a text": _forward('a = "aa"\n    for i in range(60):\n      a = torch.add(a, a)\n    return x'),
    "raises to a power": _forward("a = torch.pow(10, 1000000000)\n    return x"),
    "squares for ever": _forward("a = 10\n    for i in range(60):\n      a = torch.mul(a, a)\n    return x"),
    "formats by width": _forward('ops.prim.RaiseException(torch.format("{:>9999999999}", 1))\n    return x'),
    "nests deeply": _forward("return " + "-" * 100_000 + "x"),
    "is no Python": _forward("return $"),
    "runs code in data.pkl": _pickled("/data.pkl"),
    "runs code in constants.pkl": _pickled("/constants.pkl"),
    "creates a file when its state is set": _setstate,
    "names a weight like code": _data(
        _text(b"conv1"), lambda canary: _text(f'a");open("{canary}","w");("'.encode())
    ),
    "promises more of a weight than it holds": _data(b"K\x04K\x03K\x03K\x03t", b"M\xff\xffK\x03K\x03K\x03t"),
    "reads a weight from outside": _data(_text(b"0"), _text(b"../../../../../etc/passwd")),
    "swells the memo": _data(b"q\x02", b"r\xff\xff\xff\x7f"),
    "unpacks without end": lambda path, canary: _bomb(script(path)),
}  # fmt: skip


def _bomb(path):
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split("/")[0]
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{root}/code/__torch__/bomb.py", b"#" * 2**28)
    return path


def _json(change, ending="models/model.json"):
    def build(path, canary):
        def edit(content):
            document = json.loads(content)
            change(document, str(canary))
            return json.dumps(document).encode()

        return rewrite(exported(path), {ending: edit})

    return build


def _target(name):
    def change(document, canary):
        node = document["graph_module"]["graph"]["nodes"][-1]
        node |= {"target": name, "inputs": [{"name": "self", "arg": node["inputs"][0]["arg"], "kind": 1}]}

    return _json(change)


def _set(*path):
    """Return an attack that puts a value (its last item, a function of the canary) at a place in the JSON."""
    *keys, last, value = path

    def change(document, canary):
        for key in keys:
            document = document[key]
        document[last] = value(canary)

    return _json(change)


def _python(canary):
    return f"__import__('os').system('touch {canary}')"


def _use_pickle(part, name, file):
    def build(path, canary):
        def edit(content):
            config = json.loads(content)
            meta = {"path_name": file, "is_param": part == "weights", "use_pickle": True, "tensor_meta": None}
            config["config"][name] = meta
            return json.dumps(config).encode()

        content = io.BytesIO()
        torch.save({"weight": Shell(canary)}, content)
        config = {f"{part}/model_{part}_config.json": edit}
        return rewrite(exported(path), config, {f"data/{part}/{file}": content.getvalue()})

    return build


def _weight(key, value):
    def change(document, canary):
        document["config"]["conv1.weight"]["tensor_meta"][key] = value

    return _json(change, "model_weights_config.json")


def _old_weights(path, canary):
    content = io.BytesIO()
    torch.save(Shell(canary), content)
    exported(path)
    with zipfile.ZipFile(path) as archive:
        entries = {i.filename: archive.read(i) for i in archive.infolist() if "data/weights" not in i.filename}
    with zipfile.ZipFile(path, "w") as archive:
        for name, kept in entries.items():
            archive.writestr(name, kept)
        archive.writestr(f"{next(iter(entries)).split('/')[0]}/data/weights/model.pt", content.getvalue())
    return path


_GRAPH = ("graph_module", "graph")
EXPORTS = {
    "calls eval": _target("builtins.eval"),
    "calls a shell": _target("os.system"),
    "calls a shell through torch": _target("torch.os.system"),
    "climbs from an operator": _target("torch.ops.aten.relu.__class__"),
    "calls torch.hub": _target("torch.hub.load"),
    "creates a file": _target("torch.ops.aten.from_file.default"),
    "calls a callable in an argument": _target("_operator.call"),
    "reaches methods": _target("_operator.methodcaller"),
    "loads code": _target("torch.load"),
    "names a weight like code": _set(
        "graph_module", "signature", "input_specs", 0, "parameter", "parameter_name",
        lambda canary: f'a");{_python(canary)};("',
    ),
    "names the input like code": _set(*_GRAPH, "inputs", -1, "as_tensor", "name", lambda c: f"x):{_python(c)}#"),
    "passes code as a text": _set(
        *_GRAPH, "nodes", 0, "inputs", 1, "arg", lambda c: {"as_string": f"'+{_python(c)}+'"}
    ),
    "names an argument like code": _set(*_GRAPH, "nodes", 0, "inputs", 0, "name", lambda c: f"x={_python(c)}"),
    "holds a graph in an argument": _set(*_GRAPH, "nodes", 0, "inputs", 1, "arg", lambda c: {"as_operator": c}),
    "runs code in a weight": _use_pickle("weights", "conv1.weight", "weight_0"),
    "runs code in a constant": _use_pickle("constants", "c", "custom_obj_0"),
    "runs code in old weights": _old_weights,
    "reads a weight from outside": _json(
        lambda d, _: d["config"]["conv1.weight"].update(path_name="../../../../etc/passwd"), "model_weights_config.json"
    ),
    "promises more of a weight than it holds": _weight("sizes", [{"as_int": 4000}, *[{"as_int": 3}] * 3]),
    "steps out of a weight": _weight("strides", [{"as_int": 10**9}, *[{"as_int": 1}] * 3]),
    "starts before a weight": _weight("storage_offset", {"as_int": -8}),
    "is no object": lambda path, canary: rewrite(exported(path), {"models/model.json": lambda _: b"[]"}),
    "nests deeply": lambda path, canary: rewrite(
        exported(path), {"models/model.json": lambda _: b"[" * 200_000}
    ),
    "brings a compiled program": lambda path, canary: rewrite(
        exported(path), {}, {"data/aotinductor/model/a.so": b"\x7fELF"}
    ),
}  # fmt: skip

# What is not needed is not read: these open as if nothing were there.
IGNORED_EXPORTS = {
    "code in the guards": _set("guards_code", lambda c: [_python(c)]),
    "code in the expression of a size": _set(
        *_GRAPH, "tensor_values", "x", "sizes", 0, "as_expr", "expr_str", _python
    ),
    "code in the name of a node": _set(*_GRAPH, "nodes", 0, "name", lambda c: f"a = {_python(c)}\n#"),
    "code in the trace of a node": _set(*_GRAPH, "nodes", 0, "metadata", "stack_trace", _python),
    "code in a tree": _set("graph_module", "module_call_graph", 0, "signature", "in_spec", _python),
    "code in a range": _set("range_constraints", lambda c: {_python(c): {"min_val": 1, "max_val": 2}}),
    "a pickle as example": lambda path, canary: rewrite(
        exported(path), {"sample_inputs/model.pt": lambda _: pickle.dumps(Shell(canary))}
    ),
}  # fmt: skip
IGNORED_SCRIPTS = {
    "a pickle beside": lambda path, canary: rewrite(script(path), {}, {"extra/a.pkl": pickle.dumps(Shell(canary), 2)}),
    "a pickle for debuggers": lambda path, canary: rewrite(
        script(path), {"script_attacks.py.debug_pkl": lambda _: pickle.dumps(Shell(canary), 2)}
    ),
    "code beside the methods": lambda path, canary: rewrite(
        script(path), {"script_attacks.py": lambda old: old + f"\n{_python(canary)}\n".encode()}
    ),
}
