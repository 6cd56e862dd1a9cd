import pytest

from advisor.errors import GoalError
from advisor.onboard.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://pi@raspberrypi.local", Address("raspberrypi.local", "pi")),
        ("ssh://pi@10.0.0.7:2222", Address("10.0.0.7", "pi", 2222)),
        ("ssh://board", Address("board")),
        ("ssh://board/", Address("board")),
        ("ssh://root@[::1]:22", Address("::1", "root", 22)),
    ],
)
def test_an_address_is_read(text, expected):
    assert read_address(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pi@board", "no address"),
        ("http://board", "no address"),
        ("ssh://pi:secret@board", "holds no password"),
        ("ssh://board/some/path", "no address"),
        ("ssh://", "names no user and host"),
        ("ssh://-oProxyCommand=reboot", "names no user and host"),
        ("ssh://-l@board", "names no user and host"),
        ("ssh://pi@board:99999", "no address"),
        ("ssh://pi@board:port", "no address"),
        ("ssh://pi@bo ard", "names no user and host"),
        ("ssh://pi@$(reboot)", "names no user and host"),
    ],
)
def test_what_is_no_address_is_refused(text, said):
    with pytest.raises(GoalError, match=said) as raised:
        read_address(text)
    assert "secret" not in str(raised.value)
