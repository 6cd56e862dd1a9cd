import shlex
import shutil
import subprocess
import sys

import pytest

from advisor.errors import RunError
from advisor.onboard import Board, verify_on
from advisor.onboard.address import Address, read_address
from advisor.onboard.ssh import command, explained
from advisor.schema import Metric

from .sshd import make_key, program


def on(server, **options):
    given = {"python": sys.executable, "config": server.config, "rounds": 7, **options}
    return Board(read_address(server.url), **given)


def test_a_run_is_measured_on_a_board(server, small_run, quick):
    before = sorted(path.name for path in small_run.iterdir())
    found = verify_on(small_run, on(server))
    latency = next(m for m in found.measurements if m.metric is Metric.LATENCY)
    assert latency.n == 7
    assert latency.value > 0
    assert latency.baseline_value > 0
    assert found.environment["measured_on"] == "intel-n100"
    assert sorted(path.name for path in small_run.iterdir()) == before
    assert list((server.folder / "tmp").iterdir()) == []


def test_an_unknown_host_key_is_refused_with_its_fingerprint(server, small_run, quick):
    known = server.known_hosts.read_text()
    server.known_hosts.write_text("")
    try:
        with pytest.raises(RunError, match="is not known; it shows ED25519 SHA256:") as raised:
            verify_on(small_run, on(server))
        assert server.known_hosts.read_text() == "", "a key was accepted"
    finally:
        server.known_hosts.write_text(known)
    printed = subprocess.run(
        ["ssh-keygen", "-lf", server.folder / "host_key.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split()[1] in raised.value.what
    assert f"ssh -F {server.config}" in raised.value.remedy


def test_a_changed_host_key_is_refused(server, small_run, quick, tmp_path):
    known = server.known_hosts.read_text()
    make_key(tmp_path / "other")
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {(tmp_path / 'other.pub').read_text()}")
    try:
        with pytest.raises(RunError, match="another host key than before") as raised:
            verify_on(small_run, on(server))
    finally:
        server.known_hosts.write_text(known)
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in raised.value.remedy


def test_a_configuration_that_accepts_any_key_is_overruled(server, small_run, quick, tmp_path):
    careless = tmp_path / "config"
    careless.write_text(
        f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  IdentityFile {server.folder}/user_key\n"
    )
    with pytest.raises(RunError, match="is not known"):
        verify_on(small_run, on(server, config=careless))


@pytest.mark.parametrize(
    ("options", "said", "remedy"),
    [
        ({"python": "/nowhere/python"}, "no such Python", "--python"),
        ({"timeout": 0.05}, "did not finish within", "--timeout"),
    ],
)
def test_what_fails_on_the_board_is_told(server, small_run, quick, options, said, remedy):
    with pytest.raises(RunError, match=said) as raised:
        verify_on(small_run, on(server, **options))
    assert remedy in raised.value.remedy
    assert list((server.folder / "tmp").iterdir()) == []


def test_a_stranger_is_not_let_in(server, small_run, quick, tmp_path):
    make_key(tmp_path / "key")
    config = tmp_path / "config"
    config.write_text(server.config.read_text().replace(f"{server.folder}/user_key", str(tmp_path / "key")))
    with pytest.raises(RunError, match="does not let you in"):
        verify_on(small_run, on(server, config=config))


def test_nobody_there(small_run, quick):
    program()  # skips without OpenSSH
    with pytest.raises(RunError, match=r"cannot be reached: .*refused"):
        verify_on(small_run, Board(Address("127.0.0.1", port=1)))


def test_the_command_leaves_nothing_to_a_shell_and_checks_host_keys():
    if shutil.which("ssh") is None:
        pytest.skip("no ssh here")
    made = command(Address("board", "pi", 2222), ("python3", "-c", "print('a b'); x"))
    assert made[-3:-1] == ("--", "board")
    assert shlex.split(made[-1]) == ["python3", "-c", "print('a b'); x"]
    assert {"StrictHostKeyChecking=yes", "BatchMode=yes", "ForwardAgent=no"} <= set(made)


def test_without_ssh_another_way_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with pytest.raises(RunError, match="no ssh here") as raised:
        command(Address("board"), ("python3",))
    assert "bench-kit" in raised.value.remedy


@pytest.mark.parametrize(
    ("status", "said", "what"),
    [
        (255, "ssh: Could not resolve hostname nowhere: Name or service not known", "cannot be reached"),
        (255, "ssh: connect to host 10.0.0.7 port 22: No route to host", "cannot be reached"),
        (127, "sh: 1: python3: not found", "no such Python"),
        (1, "the board has Python 3.6.9, needed is 3.8", "needed is 3.8"),
        (3, "", "exit status 3"),
    ],
)
def test_what_ssh_says_is_understood(status, said, what):
    assert what in explained(Address("nowhere"), status, said).what
