import importlib
import sys
import textwrap

import pytest
import torch

from advisor.errors import ModelLoadError
from advisor.loading.pickles import read_pickle

from .attacks import filled, name, zip_file


def _save(tmp_path, value):
    path = tmp_path / "saved.pt"
    torch.save(value, path)
    return path


PACKAGE = {
    "__init__.py": "",
    "layers.py": """
        import dataclasses, enum, torch
        from torch import nn
        class Mode(enum.Enum):
            FAST = "fast"
        @dataclasses.dataclass
        class Settings:
            width: int = 4
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.mode, self.settings = nn.Conv2d(3, 4, 1), Mode.FAST, Settings()
            def forward(self, x):
                return self.conv(x)
        def tool():
            return 1
        class Strange:
            def __setstate__(self, state):
                raise RuntimeError("ran")
        class Calls(nn.Module):
            def __init__(self, value):
                super().__init__()
                self.value = value
    """,
    "script.py": """
        open(__file__ + ".ran", "w").close()
        from .layers import Block
    """,
    "__main__.py": """
        open(__file__ + ".ran", "w").close()
        class Block: pass
    """,
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "theirs"
    folder.mkdir()
    for file, text in PACKAGE.items():
        (folder / file).write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("theirs.layers")
    for module in [module for module in sys.modules if module.partition(".")[0] == "theirs"]:
        del sys.modules[module]


def test_layers_of_a_package_that_the_user_allows_load(tmp_path, package):
    path = _save(tmp_path, package.Block())
    with pytest.raises(ModelLoadError, match="--allow-package theirs"):
        read_pickle(path, legacy=False, trust=False)
    loaded = read_pickle(path, legacy=False, trust=False, allow_packages=("theirs",))
    assert isinstance(loaded, package.Block)
    assert loaded.mode is package.Mode.FAST
    assert loaded.settings == package.Settings()


@pytest.mark.parametrize("value", ["tool", "Strange"])
def test_a_package_name_alone_allows_neither_functions_nor_classes_with_behaviour(tmp_path, package, value):
    held = getattr(package, value)
    path = _save(tmp_path, package.Calls(held() if value == "Strange" else held))
    with pytest.raises(ModelLoadError, match=rf"not on the list of safe types: theirs\.layers\.{value}\."):
        read_pickle(path, legacy=False, trust=False, allow_packages=("theirs",))


@pytest.mark.parametrize("module", ["script", "__main__", "nowhere", "setup", "tests"])
def test_modules_that_do_not_define_the_class_are_not_imported(tmp_path, package, module):
    path = zip_file(tmp_path / "a.pt", filled(name(f"theirs.{module}", "Block")))
    with pytest.raises(ModelLoadError, match="not on the list"):
        read_pickle(path, legacy=False, trust=False, allow_packages=("theirs",))
    assert not list((tmp_path / "theirs").glob("*.ran"))


@pytest.mark.parametrize("package_name", ["no_such_package_here", "torch.nn", "../x", "", "a b"])
def test_a_wrong_package_name_is_explained(tmp_path, package_name):
    path = _save(tmp_path, {"w": torch.ones(1)})
    with pytest.raises(ModelLoadError, match="no installed package"):
        read_pickle(path, legacy=False, trust=False, allow_packages=(package_name,))
