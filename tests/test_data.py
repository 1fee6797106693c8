"""data.py: the splits are fixed, disjoint and complete; files that cannot be used are named."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.data import Split, SplitParams, load_test_split, load_training_splits
from autoencoder.errors import UnusableFileError

CPU = torch.device("cpu")
TRAIN, TEST = 60, 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set whose training image i is all i, and whose test image i is all 200 + i."""
    path = tmp_path / "tiny.npz"
    save(path, np.arange(TRAIN), 200 + np.arange(TEST))
    return path


def save(path: Path, train: np.ndarray, test: np.ndarray) -> None:
    def images(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values.astype(np.uint8)[:, None, None], (len(values), 28, 28))

    np.savez(
        path,
        train_images=images(train),
        train_labels=(train % 10).astype(np.uint8),
        test_images=images(test),
        test_labels=(test % 10).astype(np.uint8),
    )


def splits(path: Path, validation_size: int = 10) -> tuple[Split, Split]:
    return load_training_splits(path, SplitParams(validation_size=validation_size), CPU)


def identities(split: Split) -> list[int]:
    return split.images[:, 0, 0, 0].tolist()


def digest(split: Split) -> str:
    return hashlib.sha256(split.images.numpy().tobytes() + split.labels.numpy().tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("size", [1, 10, 30])
def test_training_and_validation_share_out_the_training_images(data, size):
    train, validation = splits(data, size)
    assert (len(train), len(validation)) == (TRAIN - size, size)
    assert sorted(identities(train) + identities(validation)) == list(range(TRAIN))


def test_images_keep_their_labels_shape_and_pixels(data):
    for split in (*splits(data), load_test_split(data, CPU)):
        assert split.images.shape == (len(split), 1, 28, 28)
        assert split.images.dtype == split.labels.dtype == torch.uint8
        assert split.labels.tolist() == [identity % 10 for identity in identities(split)]
        assert torch.equal(split.images, split.images[:, :, :1, :1].expand(-1, -1, 28, 28))


def test_validation_is_drawn_from_everywhere_not_from_an_end(data):
    _, validation = splits(data, 20)
    assert identities(validation) != sorted(identities(validation))
    assert min(identities(validation)) < TRAIN / 4
    assert max(identities(validation)) > TRAIN * 3 / 4


def test_the_split_is_the_same_on_every_machine(data):
    train, validation = splits(data)
    assert identities(validation) == [49, 19, 18, 37, 9, 27, 28, 0, 1, 5]
    assert (digest(train), digest(validation)) == ("a36e13b038505450", "173e9bef1b8b76f0")


def test_the_split_does_not_depend_on_any_global_seed(data):
    before = [identities(split) for split in splits(data)]
    with torch.random.fork_rng():
        torch.manual_seed(99)
        assert [identities(split) for split in splits(data)] == before


def test_a_larger_validation_split_contains_the_smaller(data):
    assert set(identities(splits(data, 10)[1])) < set(identities(splits(data, 20)[1]))


def test_test_images_are_the_test_images_in_order(data):
    test = load_test_split(data, CPU)
    assert identities(test) == list(range(200, 200 + TEST))
    assert not set(identities(test)) & {image for split in splits(data) for image in identities(split)}


def test_head_is_the_first_images(data):
    test = load_test_split(data, CPU)
    assert identities(test.head(3)) == [200, 201, 202]
    assert test.head(3).labels.tolist() == [0, 1, 2]
    assert len(test.head(1000)) == TEST


def test_a_validation_split_that_is_too_large_is_refused_with_a_proposal(data):
    with pytest.raises(
        ValueError, match=r"^params\.yaml: data\.validation_size = 31: tiny\.npz has 60 training images"
    ):
        splits(data, 31)
    with pytest.raises(ValueError, match=r"at most half of them \(a sixth, 10, is usual\)$"):
        splits(data, 10_000)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "foreign", "array absent", "pickled"])
def test_a_file_that_cannot_be_read_is_named_with_its_cure(data, damage):
    content = data.read_bytes()
    match damage:
        case "missing":
            data.unlink()
        case "empty":
            data.write_bytes(b"")
        case "truncated":
            data.write_bytes(content[: len(content) // 2])
        case "foreign":
            data.write_text("<html>log in first</html>")
        case "array absent":
            np.savez(data, train_images=np.zeros((2, 28, 28), np.uint8))
        case "pickled":
            np.savez(data, **{name: np.array([{}]) for name in ("train_images", "train_labels")})
    for load in (lambda: splits(data), lambda: load_test_split(data, CPU)):
        with pytest.raises(ValueError, match=r"tiny\.npz cannot be read \(.*\)$"):
            load()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("images", lambda images: images.astype(np.float32)),
        ("images", lambda images: images[:, :20]),
        ("labels", lambda labels: labels[:-1]),
        ("labels", lambda labels: labels + 7),
        ("labels", lambda labels: labels.astype(np.int64)),
    ],
    ids=["floats", "20x28", "a label short", "labels above 9", "labels of another type"],
)
def test_a_file_of_something_else_is_named(data, name, change):
    with np.load(data) as arrays:
        changed = {key: change(value) if key.endswith(name) else value for key, value in arrays.items()}
    np.savez(data, **changed)
    for part, load in (("train", lambda: splits(data)), ("test", lambda: load_test_split(data, CPU))):
        with pytest.raises(UnusableFileError, match=rf"tiny\.npz holds something else than {part} images"):
            load()


def test_a_file_with_one_flipped_byte_is_not_read(data):
    content = bytearray(data.read_bytes())
    content[len(content) // 3] ^= 1
    data.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read"):
        splits(data)


def test_whatever_byte_of_a_header_is_wrong_the_file_is_named_or_read_as_before(data):
    content = data.read_bytes()
    before = [digest(split) for split in splits(data)]
    directory = content.index(b"PK\x01\x02")  # at the end of an archive: where its arrays are, and how packed
    refused = 0
    for place in [*range(200), *range(directory, len(content))]:
        for wrong in (content[place] ^ 1, 0xFF - content[place]):
            data.write_bytes(content[:place] + bytes([wrong]) + content[place + 1 :])
            try:
                assert [digest(split) for split in splits(data)] == before
            except ValueError as error:
                refused += 1
                assert str(error).startswith(f"{data} cannot be read (")  # noqa: PT017 - most of these files are readable
    assert refused > 200
