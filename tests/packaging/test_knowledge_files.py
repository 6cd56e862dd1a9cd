"""Files of the knowledge that do not fit are refused in one line, with the file and the first mistake."""

import pytest

from advisor.errors import KnowledgeError
from advisor.resources import read_record
from advisor.schema import Record


class Size(Record):
    width: int
    height: int = 1


def test_a_file_that_fits_is_a_record(tmp_path):
    (tmp_path / "size.yaml").write_text("width: 3\n")
    assert read_record(tmp_path / "size.yaml", Size) == Size(width=3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("width: wide\nheight: high\n", "width: Input should be a valid integer"),
        ("width: 3\ndepth: 1\n", "depth: Extra inputs"),
        ("- 3\n", "the whole: Input should be"),
        ("width: [3\n", "line 2, column 1"),
        (None, "No such file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "size.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KnowledgeError) as found:
        read_record(path, Size)
    assert found.value.what.startswith("size.yaml cannot be used: ")
    assert says in found.value.what
    assert "\n" not in str(found.value)
    assert found.value.where == str(path)
