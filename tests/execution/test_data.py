import collections
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from advisor.errors import DataError
from advisor.execution.data import data_facts, draw, evenly, open_data, split_images
from advisor.execution.images import ImageReader
from advisor.execution.items import Item, Listing
from advisor.execution.sources.files import Files
from advisor.execution.sources.folders import list_images


def put(folder, count, *, size=(4, 4), suffix=".png", mode="RGB"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new(mode, size, color=i % 255).save(folder / f"{i:03d}{suffix}")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=4), seed=st.integers(0, 5))
def test_splits_are_disjoint_complete_and_repeatable(sizes, seed, tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for label, size in enumerate(sizes):
        folder = root / f"c{label}"
        folder.mkdir()
        for i in range(size):
            (folder / f"{i}.png").touch()
    listing = list_images(root)
    split = split_images(listing, seed)
    parts = split.parts.values()
    assert sorted(item for part in parts for item in part) == sorted(listing.items)
    assert sum(map(len, parts)) == len(listing.items) == len({i for part in parts for i in part})
    assert split == split_images(listing, seed)
    for label, size in enumerate(sizes):
        held = sum(item.label == label for item in split.test)
        assert held == min(size - 1, max(1, round(size * 0.25)))
        left = [sum(item.label == label for item in part) for part in (split.train, split.selection)]
        assert left[1] == max(0, min(sum(left) - 1, max(1, round(sum(left) * 0.1))))


PARTED = st.dictionaries(
    st.sampled_from(["", "train", "validation", "calibration", "test"]),
    st.lists(st.integers(-1, 2), min_size=1, max_size=30),
    min_size=1,
)


@given(given_=PARTED, seed=st.integers(0, 3))
def test_whatever_parts_are_given_none_leaks_into_another(given_, seed):
    parts = {
        part: tuple(Item(f"{part}/{i:02d}", label) for i, label in enumerate(labels)) for part, labels in given_.items()
    }
    loose = parts.pop("", ())
    listing = Listing("here", ("a", "b", "c"), parts, loose)
    split = split_images(listing, seed)
    items = [item for part in split.parts.values() for item in part]
    assert len(items) == len(set(items))
    assert set(items) <= set(listing.items)
    assert split == split_images(listing, seed)
    if listing.labelled:
        assert all(item.label >= 0 for item in (*split.train, *split.selection, *split.test))
        assert {item for item in listing.items if item.label >= 0} <= set(items)
    else:
        assert set(items) == set(listing.items)
        assert not split.train
    named = {item.name.split("/")[0] for item in split.train + split.selection + split.calibration}
    assert "test" not in named
    assert not parts.get("calibration") or set(split.calibration) >= set(parts["calibration"])


def test_another_seed_gives_another_test_split(tmp_path):
    put(tmp_path / "a", 20)
    put(tmp_path / "b", 20)
    listing = list_images(tmp_path)
    assert split_images(listing, 0).test != split_images(listing, 1).test


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("cifar10_train", "cifar10_calib", "cifar10_eval"), {"train", "calibration", "test"}),
        (("Train images", "Test-images"), {"train", "test"}),
        (("day_train", "night_train"), set()),  # twice the same
        (("cats", "dogs_train"), set()),
        (("training1", "eval2"), {"train", "test"}),
        (("bullet_train", "test_tube"), None),  # classes, which hold images
    ],
)
def test_folders_that_name_parts_among_other_words_are_parts(names, parts, tmp_path):
    from PIL import Image

    for name in names:
        for label in ("ant", "bee"):
            file = tmp_path / name / ("" if parts is None else label) / f"{label}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4)).save(file)
    listing = list_images(tmp_path)
    assert set(listing.parts) == (parts or set())
    assert listing.classes == (("ant", "bee") if parts else tuple(sorted(names)))
    assert any("taken for the parts" in note for note in listing.notes) is bool(parts)


def test_given_split_folders_are_respected_and_calibration_comes_out_of_training(tmp_path):
    for part, count in (("train", 20), ("val", 4), ("test", 6)):
        put(tmp_path / part / "cat", count)
        put(tmp_path / part / "dog", count)
    split = open_data(tmp_path, 2)
    came = {part: {item.name.split("/")[0] for item in items} for part, items in split.parts.items()}
    assert came == {"train": {"train"}, "calibration": {"train"}, "selection": {"val"}, "test": {"test"}}
    assert (len(split.train) + len(split.calibration), len(split.selection), len(split.test)) == (40, 8, 12)


def test_validation_is_the_test_split_where_there_is_no_other(tmp_path):
    for part in ("train", "val"):
        put(tmp_path / part / "a", 8)
        put(tmp_path / part / "b", 8)
    assert {item.name.split("/")[0] for item in open_data(tmp_path, 2).test} == {"val"}


def test_calibration_and_evaluation_folders_leave_nothing_to_train_on(tmp_path):
    for part in ("calib", "eval"):
        put(tmp_path / part / "a", 5)
        put(tmp_path / part / "b", 5)
    facts = data_facts(tmp_path)
    assert (facts.calibration, facts.test, facts.train, facts.labelled, facts.classes) == (10, 10, 0, 20, 2)


def test_a_flat_folder_calibrates_and_shows_agreement_but_trains_and_tests_nothing(tmp_path):
    put(tmp_path, 20)
    facts, split = data_facts(tmp_path), open_data(tmp_path, 10)
    assert (facts.images, facts.labelled, facts.calibration, facts.train, facts.test) == (20, 0, 13, 0, 0)
    assert facts.classes is None
    assert {part: len(items) for part, items in split.parts.items()} == {
        "train": 0, "selection": 2, "calibration": 13, "test": 5
    }  # fmt: skip
    assert (split.labelled, split.task.metric) == (False, "agreement")


@pytest.mark.parametrize(
    ("images", "calibrate"),
    [(20, 6), (60, 16), (200, 50), (400, 100), (800, 100), (2000, 226), (8000, 512)],
)
def test_few_images_give_a_third_or_as_many_as_vendors_ask_for_to_the_calibration(images, calibrate):
    items = tuple(Item(f"{i:05d}", i % 2) for i in range(images))
    split = split_images(Listing("memory", ("a", "b"), {}, loose=items), 0)
    assert len(split.calibration) == pytest.approx(calibrate, abs=2)
    assert len(split.train) > len(split.calibration)


def test_facts_count_what_open_data_divides(tmp_path):
    put(tmp_path / "a", 23)
    put(tmp_path / "b", 9)
    facts, split = data_facts(tmp_path), open_data(tmp_path, 2)
    assert (facts.train, facts.calibration, facts.test) == (len(split.train), len(split.calibration), len(split.test))
    assert facts.images == 32


@pytest.mark.parametrize(
    ("build", "outputs", "said"),
    [
        (lambda root: None, 2, "no images"),
        (lambda root: put(root / "only", 5), 2, "only one class, 'only'"),
        (lambda root: [put(root / c, 3) for c in "abc"], 2, "the data have 3 classes, the model has 2 outputs"),
        (lambda root: [put(root / c, 3) for c in "ab"] + [(root / "a" / "x.png").write_bytes(b"no")], 2, "1 of 7"),
        (
            lambda root: [put(root / c, 3) for c in "ab"] + [(root / "classes.txt").write_text("a\nc\n")],
            2,
            "'b' is not in classes.txt",
        ),
        (lambda root: [put(root / c, 3) for c in "ab"] + [(root / "classes.txt").write_text("a\nb\na")], 3, "twice"),
    ],
    ids=["empty", "one class", "too many classes", "unreadable", "unknown class", "double class"],
)
def test_bad_folders_are_refused_with_the_reason(tmp_path, build, outputs, said):
    build(tmp_path)
    with pytest.raises(DataError, match=said):
        open_data(tmp_path, outputs)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        data_facts(tmp_path / "nowhere")


def test_few_unreadable_images_are_left_out_and_named(tmp_path):
    put(tmp_path / "a", 100)
    put(tmp_path / "b", 100, suffix=".jpg", size=(40, 40))
    whole = (tmp_path / "b" / "000.jpg").read_bytes()
    (tmp_path / "b" / "000.jpg").write_bytes(whole[: len(whole) // 2])  # a JPEG cut short, its header intact
    split = open_data(tmp_path, 2)
    assert sum(map(len, split.parts.values())) == 199
    assert "1 of 200 images cannot be read: b/000.jpg" in split.notes[0]


def test_classes_txt_orders_the_outputs(tmp_path):
    put(tmp_path / "a", 4)
    put(tmp_path / "b", 4)
    (tmp_path / "classes.txt").write_text("b\nother\na\n")
    split = open_data(tmp_path, 3)
    assert {(item.name[0], item.label) for item in split.train} == {("a", 2), ("b", 0)}


def test_fewer_classes_than_outputs_is_noted(tmp_path):
    put(tmp_path / "a", 4)
    put(tmp_path / "b", 4)
    assert "2 classes, the model 1000 outputs" in open_data(tmp_path, 1000).notes[0]


def test_the_digest_follows_names_and_sizes(tmp_path):
    put(tmp_path / "a", 4)
    put(tmp_path / "b", 4)
    before = open_data(tmp_path, 2).digest
    assert open_data(tmp_path, 2).digest == before
    (tmp_path / "a" / "000.png").write_bytes((tmp_path / "a" / "000.png").read_bytes() + b"more")
    assert open_data(tmp_path, 2).digest != before


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), count=st.integers(1, 120))
def test_images_are_taken_evenly_over_classes(sizes, count):
    items = [Item(f"{c}/{i:03d}", c) for c, size in enumerate(sizes) for i in range(size)]
    taken = evenly(items, count)
    assert len(taken) == len(set(taken)) == min(count, len(items))
    got = collections.Counter(item.label for item in taken)
    unfilled = [got[c] for c, size in enumerate(sizes) if got[c] < size]
    assert not unfilled or max(got.values()) - min(unfilled) <= 1


def test_images_within_a_class_are_spread_over_the_list():
    items = [Item(f"{i:03d}", 0) for i in range(100)]
    assert [item.name for item in evenly(items, 4)] == ["012", "037", "062", "087"]


def test_drawing_keeps_one_image_of_every_class():
    items = [Item("a", 0), Item("b", 1), Item("c", 1)]
    taken, left = draw(items, 0.99, None, 0)
    assert [item.label for item in taken] == [1]
    assert [item.label for item in left] == [0, 1]


@pytest.mark.parametrize(("channels", "shape"), [(1, (2, 1, 6, 6)), (3, (2, 3, 6, 6))])
def test_pixels_are_scaled_cropped_and_normalised(tmp_path, channels, shape):
    for name, colour in (("a.png", 0), ("b.png", 255)):
        Image.new("L", (12, 24), color=colour).save(tmp_path / name)
    preprocessing = SimpleNamespace(
        size=(6, 6), mean=(0.5,) * channels, std=(0.25,) * channels, interpolation="bicubic"
    )
    reader = ImageReader(preprocessing, channels)
    batch = reader.batch([Item(name, source=Files(tmp_path)) for name in ("a.png", "b.png")])
    assert batch.shape == shape
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[0], -2.0)
    np.testing.assert_allclose(batch[1], 2.0)


def test_an_image_of_the_right_size_is_not_resampled(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    reader = ImageReader(SimpleNamespace(size=(5, 7), mean=(0, 0, 0), std=(1, 1, 1), interpolation="bilinear"), 3)
    got = reader.batch([Item("a.png", source=Files(tmp_path))])[0]
    np.testing.assert_allclose(got, pixels.transpose(2, 0, 1) / np.float32(255), rtol=1e-6)
