"""Profiles are remembered by content: the same file needs no framework the second time, a changed one is read anew."""

import json
import os
import subprocess
import sys

import onnx
import pytest
import torch
from torch import nn

from advisor import cache, pipeline

from .test_imports import BLOCK

SHAPE = {"input_shape": (1, 3, 16, 16)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.pt"
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    torch.save(module, path)
    return path


def entries(folder):
    return list(folder.glob("*.json"))


def test_a_second_profile_comes_from_the_cache(folder, model):
    first = pipeline.profile(model, **SHAPE)
    for entry in entries(folder):  # as it was asked, and in the words of a stored plan
        content = json.loads(entry.read_text())
        content["workload"]["name"] = "remembered"
        entry.write_text(json.dumps(content))
    again = pipeline.profile(model, **SHAPE)
    assert again.name == "remembered"
    assert again.model_copy(update={"name": first.name}) == first


@pytest.mark.parametrize("options", [{"input_shape": (1, 3, 32, 32)}, {"input_shape": (3, 16, 16), "batch": 2}])
def test_other_options_are_another_entry(folder, model, options):
    pipeline.profile(model, **SHAPE)
    alone = len(entries(folder))
    pipeline.profile(model, **options)
    assert len(entries(folder)) == 2 * alone


def test_a_changed_file_is_read_anew(folder, model):
    before = pipeline.profile(model, **SHAPE)
    torch.save(nn.Sequential(nn.Conv2d(3, 9, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 5)), model)
    assert pipeline.profile(model, **SHAPE).params != before.params


def test_changed_weights_beside_an_onnx_file_are_noticed(folder, tmp_path):
    from tests.loading.test_onnx_files import write_conv

    path = write_conv(tmp_path / "net.onnx", [1, 3, 8, 8], external=True)
    pipeline.profile(path)
    assert cache.read(cache.key(path, {}, 1)) is not None
    (tmp_path / "weights.bin").write_bytes(b"\1" * (tmp_path / "weights.bin").stat().st_size)
    assert cache.read(cache.key(path, {}, 1)) is None
    assert onnx.load(path, load_external_data=False).graph.node


@pytest.mark.parametrize("damage", [b"", b"{", b'{"intake": {}}', b"\xff\xfe"])
def test_a_damaged_entry_is_made_anew(folder, model, damage):
    first = pipeline.profile(model, **SHAPE)
    stored = entries(folder)
    for entry in stored:
        entry.write_bytes(damage)
    assert pipeline.profile(model, **SHAPE) == first
    assert stored
    assert all(len(entry.read_bytes()) > 100 for entry in stored)


@pytest.mark.parametrize("options", [{"trust": True}, {"arch": "python:nets:build"}])
def test_what_runs_foreign_code_is_not_remembered(model, options):
    assert cache.key(model, options, 1) is None


def test_a_module_from_python_is_not_remembered(folder):
    pipeline.profile(nn.Sequential(nn.Conv2d(3, 4, 3)), **SHAPE)
    assert not entries(folder)


def test_the_cache_can_be_switched_off(monkeypatch, model, tmp_path):
    monkeypatch.setenv("ADVISOR_CACHE", "off")
    pipeline.profile(model, **SHAPE)
    assert cache.key(model, SHAPE, 1) is None
    assert not list(tmp_path.glob("cache/*"))


def test_old_entries_are_dropped(folder, model, monkeypatch):
    monkeypatch.setattr(cache, "_KEPT", 2)
    for side in (16, 17, 18, 19):
        pipeline.profile(model, input_shape=(1, 3, side, side))
    assert len(entries(folder)) == 2


def test_a_folder_that_cannot_be_written_is_no_error(model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / "file" / "cache"))
    assert pipeline.profile(model, **SHAPE).params


@pytest.mark.real
@pytest.mark.parametrize("command", [["recommend", "-t", "jetson-nano"], ["profile"], ["identify"]])
def test_a_second_question_needs_no_framework(folder, model, command):
    pipeline.profile(model, **SHAPE)
    arguments = [command[0], str(model), "--input", "1x3x16x16", *command[1:]]
    code = BLOCK + f"import sys; sys.argv = ['advisor', *{arguments!r}]; from advisor.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "80"}
    )
    assert done.returncode == 0, done.stderr
    assert "net" in done.stdout
