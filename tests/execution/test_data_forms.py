"""Every form of --data: what is listed, what the images are, and how bad files are refused."""

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from advisor.errors import DataError
from advisor.execution.data import data_facts, open_data
from advisor.execution.images import ImageReader

CLASSES, SIDE = 2, 6
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, SIDE, SIDE, 3), dtype=np.uint8)
LABELS = np.arange(40) % CLASSES
PLAIN = SimpleNamespace(size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1), interpolation="bilinear")


def pictures(folder, count=40):
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(PIXELS[:count]):
        Image.fromarray(pixels).save(folder / f"{i:02d}.png")


def as_csv(root):
    pictures(root / "images")
    lines = [f"images/{i:02d}.png,{'cat' if label else 'ape'}" for i, label in enumerate(LABELS)]
    (root / "list.csv").write_text("Path,Label\n" + "\n".join(lines))
    return root / "list.csv"


def as_tsv_with_splits(root):
    pictures(root)
    lines = [f"{i:02d}.png\t{label}\t{'val' if i % 4 == 0 else 'train'}" for i, label in enumerate(LABELS)]
    (root / "list.tsv").write_text("image\tclass\tsplit\n" + "\n".join(lines))
    return root / "list.tsv"


def as_jsonl(root):
    pictures(root)
    lines = [json.dumps({"path": f"{i:02d}.png", "label": int(label)}) for i, label in enumerate(LABELS)]
    (root / "list.jsonl").write_text("\n\n".join(lines))
    return root / "list.jsonl"


def as_npz(root):
    np.savez_compressed(root / "all.npz", images=PIXELS, labels=LABELS)
    return root / "all.npz"


def as_npz_nchw_with_splits(root):
    pixels = PIXELS.transpose(0, 3, 1, 2)
    np.savez(root / "all.npz", x_train=pixels[:30], y_train=LABELS[:30, None], x_test=pixels[30:], y_test=LABELS[30:])
    return root / "all.npz"


def as_npz_of_medmnist(root):
    names = np.array(["ape", "cat"])
    np.savez(root / "all.npz", train_images=PIXELS[:30, :, :, 0], train_labels=names[LABELS[:30]],
             test_images=PIXELS[30:, :, :, 0], test_labels=names[LABELS[30:]])  # fmt: skip
    return root / "all.npz"


FORMS = [as_csv, as_tsv_with_splits, as_jsonl, as_npz, as_npz_nchw_with_splits, as_npz_of_medmnist]


@pytest.mark.parametrize("write", FORMS, ids=lambda f: f.__name__)
def test_a_form_gives_the_images_their_labels_and_disjoint_parts(tmp_path, write):
    data = write(tmp_path)
    facts, split = data_facts(data), open_data(data, CLASSES)
    items = [item for part in split.parts.values() for item in part]
    assert len(items) == len(set(items)) == 40 == facts.images == facts.labelled
    assert (facts.train, facts.test, facts.classes) == (len(split.train), len(split.test), CLASSES)
    reader = ImageReader(PLAIN, 3)
    known = {int(pixels.astype(int).sum()): label for pixels, label in zip(_shown(write), LABELS, strict=True)}
    for item in items:
        assert known[round(float(reader.batch([item]).sum()) * 255)] == item.label
    assert split.digest == open_data(str(data), None).digest
    assert split == open_data(str(data), None)


def _shown(write):
    return PIXELS if write is not as_npz_of_medmnist else np.repeat(PIXELS[..., :1], 3, axis=3)


def test_given_parts_of_lists_and_arrays_are_kept(tmp_path):
    for write, test in ((as_tsv_with_splits, 10), (as_npz_nchw_with_splits, 10)):
        split = open_data(write(tmp_path), CLASSES)
        assert len(split.test) == test


def test_the_digest_of_arrays_follows_their_pixels(tmp_path):
    before = open_data(as_npz(tmp_path), 2).digest
    changed = PIXELS.copy()
    changed[17, 2, 3, 1] ^= 1
    np.savez(tmp_path / "all.npz", images=changed, labels=LABELS)
    assert open_data(tmp_path / "all.npz", 2).digest != before


def test_an_archive_without_labels_calibrates(tmp_path):
    np.savez(tmp_path / "all.npz", images=PIXELS)
    split = open_data(tmp_path / "all.npz", 2)
    assert (split.labelled, len(split.train), split.task.metric) == (False, 0, "agreement")


class Touched:
    """A pickle that would show that it ran."""

    def __reduce__(self):
        return print, ("ran",)


def raw_npz(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape, descr="|u1"):
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": descr, "fortran_order": False, "shape": shape})
    return made.getvalue()


def saved(**arrays):
    def write(path):
        np.savez(path, **arrays)

    return write


BAD_ARCHIVES = {
    "not a zip": (lambda path: path.write_bytes(b"PK\3\4 rubbish"), "cannot be read"),
    "pickled": (lambda path: np.savez(path, images=np.array([Touched()], dtype=object)), "never opened"),
    "pickled labels": (saved(images=PIXELS, labels=np.array([Touched()] * 40, dtype=object)), "never opened"),
    "a bomb": (lambda path: raw_npz(path, images=header((10**9, 2000, 2000, 3))), r"GB may be used"),
    "cut short": (
        lambda path: raw_npz(path, images=header((40, 6, 6)), labels=header((40,))),
        "'labels' cannot be read",
    ),
    "no header": (lambda path: raw_npz(path, images=b"rubbish"), "cannot be read"),
    "many arrays": (saved(**{f"a{i}": np.zeros(1) for i in range(65)}), "65 arrays"),
    "no images": (saved(pictures=PIXELS), "no images among the arrays pictures"),
    "floats": (saved(images=PIXELS / 255, labels=LABELS), "float64, not uint8"),
    "two dimensions": (saved(images=PIXELS[0, :, :, 0], labels=LABELS[:6]), "are no images"),
    "five channels": (saved(images=np.zeros((9, 6, 6, 5), np.uint8)), "are no images"),
    "fewer labels": (saved(images=PIXELS, labels=LABELS[:39]), "do not fit 40 images"),
    "labels in floats": (saved(images=PIXELS, labels=LABELS / 2), "do not fit 40 images"),
    "negative labels": (saved(images=PIXELS, labels=LABELS - 3), "labels run from -3"),
    "many classes": (saved(images=PIXELS, labels=LABELS + 7), "9 classes, the model has 2"),
    "one class": (saved(images=PIXELS, labels=LABELS * 0), "only one class"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_bad_archives_are_refused_with_the_reason_and_a_way_out(tmp_path, name, capsys):
    write, said = BAD_ARCHIVES[name]
    write(tmp_path / "bad.npz")
    with pytest.raises(DataError, match=said) as caught:
        open_data(tmp_path / "bad.npz", 2)
    assert caught.value.remedy
    assert "bad.npz" in str(caught.value)
    assert "ran" not in capsys.readouterr().out


def text_list(text, suffix=".csv"):
    def write(root):
        pictures(root, 4)
        path = root / f"list{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


BAD_LISTS = {
    "empty": (text_list(""), "no column 'path'"),
    "header alone": (text_list("path,label\n"), "has no images"),
    "no header": (text_list("00.png,a\n01.png,b\n"), "no column 'path' among 00.png, a"),
    "binary": (text_list(b"\xff\xfe\0\0path"), "not UTF-8"),
    "unclosed quote": (text_list('path,label\n"00.png,a\n'), "cannot be read"),
    "many fields": (text_list("path,label\n00.png,a,b,c\n"), "more fields"),
    "no path": (text_list("path,label\n,a\n"), "line names no path"),
    "unknown split": (text_list("path,label,split\n00.png,a,trian\n"), "'trian' is no part"),
    "twice": (text_list("path,label,split\n00.png,a,train\n00.png,a,test\n01.png,b,\n"), "00.png is listed twice"),
    "gone": (text_list("path,label\n00.png,a\n01.png,b\nno.png,a\n"), "1 of 3 images cannot be read: no.png"),
    "one class": (text_list("path,label\n00.png,a\n01.png,a\n"), "only one class, 'a'"),
    "huge index": (text_list("path,label\n00.png,0\n01.png,9999999999\n"), "too large"),
    "no json": (text_list("{'path'}", ".jsonl"), "no JSON"),
    "no object": (text_list("[1, 2]", ".jsonl"), "no JSON object"),
    "deep json": (text_list("[" * 100_000, ".jsonl"), "no JSON"),
    "a label that is a list": (text_list('{"path": "00.png", "label": [1]}', ".jsonl"), "neither a text"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_bad_lists_are_refused_with_the_reason_and_a_way_out(tmp_path, name):
    write, said = BAD_LISTS[name]
    with pytest.raises(DataError, match=said) as caught:
        open_data(write(tmp_path), 2)
    assert caught.value.remedy


def test_classes_txt_beside_a_list_orders_its_names(tmp_path):
    path = as_csv(tmp_path)
    (tmp_path / "classes.txt").write_text("cat\ndog\nape\n")
    split = open_data(path, 3)
    assert split.classes == ("cat", "dog", "ape")
    assert {item.label for item in split.train} == {0, 2}
