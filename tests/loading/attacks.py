"""Builders of hostile checkpoints: what they would run, how the byte code asks for it, and the format that carries it.

A gadget is byte code that creates the file `canary` in its folder if anything executes it; `pickle.loads` does.
"""

import io
import pickle
import pickletools
import struct
import tarfile
import zipfile
from pathlib import Path

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def plain(value: object) -> bytes:
    """Return byte code of plain data, without beginning, end and memo."""
    return pickletools.optimize(pickle.dumps(value, 2))[2:-1]


def name(module: str, attribute: str) -> bytes:
    """Return byte code that asks for a global."""
    return f"c{module}\n{attribute}\n".encode()


def call(callee: bytes, *arguments: bytes) -> bytes:
    """Return byte code that calls what `callee` gives."""
    return callee + b"(" + b"".join(arguments) + b"tR"


def filled(kind: bytes, **state: bytes) -> bytes:
    """Return byte code that creates an object empty and fills it with this state."""
    items = b"".join(plain(key) + code for key, code in state.items())
    return kind + b")\x81}(" + items + b"ub"


def gadgets(folder: Path) -> dict[str, bytes]:
    """Return code that leaves `folder/canary` behind if it runs; the files that some need are written beside it."""
    canary, second, script, hub = (folder / part for part in ("canary", "second.pkl", "script.py", "hub"))
    touch = plain(f"touch {canary}")
    source = f"open({str(canary)!r}, 'w').close()\n"
    script.write_text(source)
    hub.mkdir(exist_ok=True)
    (hub / "hubconf.py").write_text(source + "def net():\n    return 1\n")
    shell = call(name("posix", "system"), touch)
    second.write_bytes(b"\x80\x02" + shell + b".")
    path = call(name("pathlib", "PosixPath"), plain(str(canary)))
    opened = call(name("io", "open"), plain(str(second)), plain("rb"))
    toucher = call(name("operator", "methodcaller"), plain("touch"))
    return {
        "os.system": shell,
        "os.spawn": call(name("os", "spawnlp"), plain(0), plain("touch"), plain("touch"), plain(str(canary))),
        "subprocess": call(name("subprocess", "check_call"), plain(["touch", str(canary)])),
        "eval": call(name("builtins", "eval"), plain(source.strip())),
        "exec": call(name("builtins", "exec"), plain(source)),
        "eval of Python 2": call(name("__builtin__", "eval"), plain(source.strip())),
        "open": call(name("builtins", "open"), plain(str(canary)), plain("w")),
        "io.open": call(name("io", "open"), plain(str(canary)), plain("w")),
        "mkdir": call(name("posix", "mkdir"), plain(str(canary))),
        "runpy": call(name("runpy", "run_path"), plain(str(script))),
        "timeit": call(name("timeit", "timeit"), plain(source), plain("pass"), name("time", "time"), plain(1)),
        "getattr": call(call(name("builtins", "getattr"), path, plain("touch"))),
        "attrgetter": call(call(call(name("operator", "attrgetter"), plain("touch")), path)),
        "methodcaller": call(toucher, path),
        "pickle.load": call(name("pickle", "load"), opened),
        "pickle.loads": call(name("_pickle", "loads"), plain(second.read_bytes())),
        "numpy.load": call(name("numpy", "load"), plain(str(second)), plain(None), plain(True)),
        "torch.hub": call(name("torch.hub", "_load_local"), plain(str(hub)), plain("net")),
        "functools.reduce": call(name("functools", "reduce"), call(name("operator", "attrgetter"), plain("system")),
                                 b"]" + shell + b"a"),
        "list of map": call(name("builtins", "list"), call(name("builtins", "map"), toucher, b"]" + path + b"a")),
        "partial": call(call(name("functools", "partial"), name("posix", "system"), touch)),
    }  # fmt: skip


def spellings(folder: Path) -> dict[str, bytes]:
    """Return the ways in which byte code can run one shell command without REDUCE as torch.save writes it."""
    touch = plain(f"touch {folder / 'canary'}")
    shell = call(name("posix", "system"), touch)
    stacked = b"\x8c\x05posix\x8c\x06system\x93"
    return {
        "INST": b"(" + touch + b"iposix\nsystem\n",
        "OBJ": b"(" + name("posix", "system") + touch + b"o",
        "NEWOBJ": name("subprocess", "Popen") + b"(" + plain(["touch", str(folder / "canary")]) + b"t\x81",
        "NEWOBJ_EX": name("subprocess", "Popen") + b"(" + plain(["touch", str(folder / "canary")]) + b"t}\x92",
        "STACK_GLOBAL": stacked + touch + b"\x85R",
        "STACK_GLOBAL from the memo": b"\x8c\x05posix\x94\x8c\x06system\x940" + b"0h\x00h\x01\x93" + touch + b"\x85R",
        "EXT1": b"\x82\xf1" + touch + b"\x85R",
        "EXT2": b"\x83\xf1\x00" + touch + b"\x85R",
        "EXT4": b"\x84\xf1\x00\x00\x00" + touch + b"\x85R",
        "DUP": name("posix", "system") + b"2" + touch + b"\x85R",
        "BUILD": filled(name("torch.nn.modules.linear", "Linear"), forward=name("posix", "system")),
        "hook": filled(
            name("torch.nn.modules.linear", "Identity"),
            _forward_hooks=call(name("collections", "OrderedDict")) + plain(0) + name("posix", "system") + b"s",
        ),
        "beside weights": b"}" + plain("state_dict") + b"}s" + plain("extra") + shell + b"s",
        "in a tuple of a persistent id": b"(" + plain("storage") + shell + b"tQ",
        "module as a persistent id": b"(" + plain("module") + shell + plain("") * 2 + b"tQ",
        "the builder of a tensor": call(
            name("torch._tensor", "_rebuild_from_type_v2"), name("posix", "system"), name("torch", "Tensor"),
            b"(" + touch + b"t", b"}",
        ),
        "two lines in a name": b"c" + b"posix\nsystem\n" + touch + b"\x85R",
    }  # fmt: skip


def zip_file(path: Path, code: bytes, protocol: int = 2, data: dict[str, bytes] | None = None) -> Path:
    """Write a checkpoint of the current format around this byte code."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80" + bytes([protocol]) + code + b".")
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
        for key, content in (data or {}).items():
            archive.writestr(f"archive/data/{key}", content)
    return path


def legacy_file(path: Path, code: bytes, protocol: int = 2, data: dict[str, bytes] | None = None) -> Path:
    """Write a checkpoint of the format before torch 1.6 around this byte code; items of the data have 4 bytes."""
    system = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickle.dumps(value, 2) for value in (MAGIC, VERSION, system)]
    parts += [b"\x80" + bytes([protocol]) + code + b".", pickle.dumps(list(data or {}), 2)]
    parts += [struct.pack("<q", len(content) // 4) + content for content in (data or {}).values()]
    path.write_bytes(b"".join(parts))
    return path


def tar_file(
    path: Path,
    code: bytes,
    protocol: int = 2,
    tensors: dict[str, list[float]] | None = None,
    views: tuple[tuple[str, str, int, int], ...] = (),
) -> Path:
    """Write a checkpoint of the format before torch 0.1.10 around this byte code, with vectors of float32 by name.

    The data of the first vector is called "s0"; `views` are further names for parts of the data.
    """
    tensors = tensors or {}
    count = pickle.dumps(len(tensors), 2)
    storages, listed = [count], [count]
    for number, (key, values) in enumerate(tensors.items()):
        kind = name("torch", "FloatStorage"), name("torch", "FloatTensor")
        storages += [b"\x80\x02" + plain(f"s{number}") + plain("cpu") + kind[0] + b"\x87."]
        storages += [struct.pack(f"<q{len(values)}f", len(values), *values)]
        listed += [b"\x80\x02" + plain(int(key)) + plain(f"s{number}") + kind[1] + b"\x87."]
        listed += [struct.pack("<iiqqq", 1, 0, len(values), 1, 0)]
    parts = {
        "sys_info": pickle.dumps({}, 2),
        "pickle": b"\x80" + bytes([protocol]) + code + b".",
        "storages": b"".join(storages) + pickle.dumps(list(views), 2),
        "tensors": b"".join(listed),
    }
    with tarfile.open(path, "w") as archive:
        for part, content in parts.items():
            entry = tarfile.TarInfo(part)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def plain_file(path: Path, code: bytes, protocol: int = 2) -> Path:
    """Write what pickle.dump writes."""
    path.write_bytes(b"\x80" + bytes([protocol]) + code + b".")
    return path


def nested_zip(path: Path, code: bytes, protocol: int = 2) -> Path:
    """Write a zip that holds a checkpoint."""
    inner = zip_file(path.with_suffix(".inner"), code, protocol)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "model.pt")
    return path


CARRIERS = {
    "zip": zip_file,
    "legacy": legacy_file,
    "tar": tar_file,
    "plain pickle": plain_file,
    "zip in a zip": nested_zip,
}


def tensor(
    key: str = "0", count: int = 4, offset: int = 0, size: tuple = (4,), stride: tuple = (1,), data: bytes = b""
) -> bytes:
    """Return byte code of a float32 tensor over the stored data `key`, honest or not."""
    parts = (data or storage(key, count), plain(offset), plain(size), plain(stride), plain(False))
    return call(name("torch._utils", "_rebuild_tensor_v2"), *parts, call(name("collections", "OrderedDict")))


def storage(
    key: str = "0", count: int = 4, kind: bytes = b"ctorch\nFloatStorage\n", view: tuple[object, ...] = ()
) -> bytes:
    """Return byte code that names stored data; the old format adds a `view`, which is (None,) for all of it."""
    parts = (plain("storage"), kind, plain(key), plain("cpu"), plain(count), *map(plain, view))
    return b"(" + b"".join(parts) + b"tQ"
