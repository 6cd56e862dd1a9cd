"""Opening and profiling touches nothing outside, as Python's own audit events tell."""

import json
import subprocess
import sys

import pytest

from .formats import write

pytestmark = pytest.mark.real

WATCH = """
import json, os, sys, tempfile
from advisor.loading import load
from advisor.profiling import profile
import timm, torch, torchvision, onnx, onnxruntime
seen, watching = [], False
OURS = (os.devnull, tempfile.gettempdir())  # the folder itself: a file without a name, gone when it is closed
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.", "os.remove",
             "os.rename",
             "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink", "shutil.", "ctypes.dlopen", "urllib.Request",
             "pty.spawn", "os.putenv", "ftplib.", "smtplib.", "webbrowser.open")
def hook(event, arguments):
    if not watching:
        return
    if event.startswith(FORBIDDEN):
        seen.append([event, repr(arguments)[:200]])
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING and arguments[0] not in OURS:
        seen.append([event, repr(arguments)[:200]])
sys.addaudithook(hook)
for path in sys.argv[1:]:
    for again in (False, True):  # what is imported at the first use is not the file's doing
        watching = again
        profile(load(path, input_shape=(1, 3, 64, 64)))
    watching = False
watching = True
open(os.environ["CANARY"], "w").close()
print(json.dumps(seen))
"""
FILES = (
    ("state dict", "timm:mobilenetv3_small_050"),
    ("module", "timm:convnext_atto"),
    ("old module", "torchvision:shufflenet_v2_x0_5"),
    ("safetensors", "timm:edgenext_xx_small"),
    ("TorchScript", "torchvision:squeezenet1_1"),
    ("torch.export", "timm:regnetx_002"),
    ("ONNX opset 17", "timm:mobilevit_xxs"),
)


def test_nothing_outside_is_touched(tmp_path):
    paths = [str(write(tmp_path, *file)) for file in FILES]
    canary = tmp_path / "canary"
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *paths], capture_output=True, text=True, check=False, env={"CANARY": str(canary)}
    )
    assert done.returncode == 0, done.stderr
    *touched, last = json.loads(done.stdout.splitlines()[-1])
    assert touched == []
    assert str(canary) in last[1], "the watch itself works"
