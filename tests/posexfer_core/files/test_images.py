import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.errors import ImageError, OutputError
from posexfer_core.files.images import (
    from_pil,
    load_image,
    load_mask,
    save_image,
    to_pil,
)

REPORTED = Path(__file__).parents[2] / "data/reported_cases"


def grey_png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that claims a size, whatever it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_white_is_one_and_black_minus_one(tmp_path):
    levels = np.zeros((16, 20, 3), np.uint8)
    levels[:, 10:] = 255
    Image.fromarray(levels).save(tmp_path / "halves.png")
    image = load_image(tmp_path / "halves.png")
    assert image.shape == (1, 3, 16, 20)
    assert (image[..., :10] == -1).all() and (image[..., 10:] == 1).all()


def test_every_level_survives_saving_and_loading(tmp_path, generator):
    levels = torch.randint(0, 256, (1, 3, 17, 23), generator=generator)
    image = levels / 127.5 - 1.0
    save_image(image, tmp_path / "noise.png")
    torch.testing.assert_close(load_image(tmp_path / "noise.png"), image)
    assert [path.name for path in tmp_path.iterdir()] == ["noise.png"]


def test_the_exif_tag_turns_the_image(tmp_path):
    image = Image.new("RGB", (40, 20), "black")
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter clockwise to see it upright
    image.save(tmp_path / "turned.png", exif=exif)
    image = load_image(tmp_path / "turned.png")
    assert image.shape == (1, 3, 40, 20)
    assert (image[0, :, 0, 19] == 1).all()


def test_what_is_transparent_becomes_white(tmp_path):
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 8, 16))
    for name, kind in [("colour.png", image), ("palette.png", image.quantize(4))]:
        kind.save(tmp_path / name)
        image = load_image(tmp_path / name)
        torch.testing.assert_close(image[0, :, 3, 3], torch.tensor([-1.0, -1.0, 1.0]))
        torch.testing.assert_close(image[0, :, 3, 12], torch.ones(3))


def test_greyscale_keeps_its_levels_at_8_and_16_bits(tmp_path):
    Image.new("L", (16, 16), 51).save(tmp_path / "8.png")
    Image.fromarray(np.full((16, 16), 51 * 257, np.uint16)).save(tmp_path / "16.png")
    expected = torch.full((1, 3, 16, 16), 51 / 127.5 - 1)
    torch.testing.assert_close(load_image(tmp_path / "8.png"), expected)
    torch.testing.assert_close(load_image(tmp_path / "16.png"), expected)


def test_a_mask_is_how_opaque_or_else_how_bright_a_image_is(tmp_path):
    levels = np.array([[0, 102], [153, 255]], np.uint8).repeat(8, 0).repeat(8, 1)
    Image.fromarray(levels).save(tmp_path / "bright.png")
    cut_out = np.stack([np.full_like(levels, 7)] * 3 + [levels], -1)
    Image.fromarray(cut_out, "RGBA").save(tmp_path / "cut_out.png")
    opaque = np.stack([levels] * 3 + [np.full_like(levels, 255)], -1)
    Image.fromarray(opaque, "RGBA").save(tmp_path / "opaque.png")
    for name in ("bright.png", "cut_out.png", "opaque.png"):
        torch.testing.assert_close(
            load_mask(tmp_path / name), torch.from_numpy(levels).float() / 255.0
        )


@pytest.mark.parametrize("name", ["mask_01.png", "mask_davis.png"])
def test_labels_of_a_mask_are_read(name):
    with Image.open(REPORTED / name) as image:
        labels = np.asarray(image)
    assert set(np.unique(labels)) == {0, 1}
    np.testing.assert_array_equal(load_mask(REPORTED / name).numpy(), labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_label_of_a_mask_is_a_person(tmp_path, dtype):
    labels = np.array([[0, 1], [2, 7]], dtype).repeat(8, 0).repeat(8, 1)
    Image.fromarray(labels).save(tmp_path / "labels.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "labels.png").numpy(), labels > 0)


@pytest.mark.parametrize(
    ("around", "label", "dtype"),
    [(1, 2, np.uint8), (0, 127, np.uint8), (0, 255, np.uint16), (0, 255, np.int32)],
)
def test_one_label_is_a_person_whatever_its_number(tmp_path, around, label, dtype):
    labels = np.array([[around, label]], dtype).repeat(16, 0).repeat(8, 1)
    Image.fromarray(labels).save(tmp_path / "labels.tif")
    expected = (labels == label).astype(np.float32)
    np.testing.assert_array_equal(load_mask(tmp_path / "labels.tif").numpy(), expected)


def test_void_borders_of_labels_are_nobody_and_white_with_dark_specks_is_white(tmp_path):
    labels = np.array([[0, 1, 1, 1, 255, 0]], np.uint8).repeat(16, 0).repeat(4, 1)
    Image.fromarray(labels).save(tmp_path / "void.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "void.png").numpy(), labels == 1)
    white = np.where(labels == 1, 255, np.where(labels == 255, 1, 0)).astype(np.uint8)
    Image.fromarray(white).save(tmp_path / "white.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "white.png").numpy() > 0.5, labels == 1)


def test_an_alpha_of_labels_is_opaque_where_it_is_one(tmp_path):
    alpha = np.array([[0, 1]], np.uint8).repeat(16, 0).repeat(8, 1)
    Image.fromarray(np.dstack([alpha * 200] * 3 + [alpha])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "a.png").numpy(), alpha)


def test_soft_and_grey_palette_masks_are_read_by_their_brightness(tmp_path):
    ramp = np.arange(96, dtype=np.uint8).reshape(1, -1).repeat(16, 0)
    Image.fromarray(ramp).save(tmp_path / "dim.png")
    torch.testing.assert_close(load_mask(tmp_path / "dim.png"), torch.from_numpy(ramp) / 255.0)
    halves = Image.fromarray(np.array([[0, 1]], np.uint8).repeat(16, 0).repeat(8, 1), "P")
    halves.putpalette([255, 255, 255, 0, 0, 0])  # the first colour is white
    halves.save(tmp_path / "palette.png")
    assert load_mask(tmp_path / "palette.png")[0, [0, -1]].tolist() == [1.0, 0.0]


def test_pillow_images_come_back_equal(generator):
    image = torch.randint(0, 256, (1, 3, 16, 18), generator=generator) / 127.5 - 1.0
    torch.testing.assert_close(from_pil(to_pil(image)), image)


def truncated_png() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()[:5000]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as an image"),
        (b"solid nonsense", "cannot be read as an image"),
        (truncated_png(), "cannot be read as an image"),
        (grey_png(20_000, 20_000, b""), "million pixels"),
        (grey_png(9_000, 9_000, b""), "million pixels"),
        (grey_png(100, 100, b"\x00\x01"), "cannot be read as an image"),
        (grey_png(3, 3, b"\x00\x01\x01\x01" * 3), "at least 16 on each side"),
    ],
)
def test_a_file_that_is_no_good_image_gets_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=sentence):
        load_image(path)


def test_a_missing_image_and_a_folder_get_a_sentence(tmp_path):
    with pytest.raises(ImageError, match="no image at"):
        load_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(tmp_path)


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    image = torch.zeros(1, 3, 16, 16)
    with pytest.raises(OutputError, match="no folder"):
        save_image(image, tmp_path / "missing" / "out.png")
    with pytest.raises(OutputError, match="expected one of"):
        save_image(image, tmp_path / "out.tga")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        save_image(image, tmp_path / "folder.png")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floats_are_scaled_by_the_white_that_they_reach(tmp_path, white):
    levels = np.linspace(0.0, 1.0, 32 * 32, dtype=np.float32).reshape(32, 32)
    Image.fromarray(levels * np.float32(white)).save(tmp_path / "a.tiff")
    expected = torch.from_numpy(levels).expand(1, 3, -1, -1) * 2.0 - 1.0
    torch.testing.assert_close(load_image(tmp_path / "a.tiff"), expected, atol=1 / 127.0, rtol=0.0)
    mask = torch.from_numpy(levels)
    torch.testing.assert_close(load_mask(tmp_path / "a.tiff"), mask, atol=1 / 127.0, rtol=0.0)


@pytest.mark.parametrize(
    ("kind", "white"),
    [(np.float32, 1023), (np.float32, 4095), (np.uint16, 255), (np.uint16, 4095), (np.int32, 255)],
)
def test_levels_of_fewer_bits_than_the_file_has_are_told(tmp_path, caplog, kind, white):
    levels = np.linspace(0.0, 1.0, 32 * 32).reshape(32, 32)
    Image.fromarray((levels * white).astype(kind)).save(tmp_path / "a.tiff")
    expected = torch.from_numpy(levels).float().expand(1, 3, -1, -1) * 2.0 - 1.0
    torch.testing.assert_close(load_image(tmp_path / "a.tiff"), expected, atol=1 / 63.0, rtol=0.0)
    assert f"{white} is taken for white" in caplog.text


def test_floats_from_minus_one_are_black_there(tmp_path):
    levels = np.linspace(-1.0, 1.0, 32 * 32, dtype=np.float32).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.tiff")
    expected = torch.from_numpy(levels).expand(1, 3, -1, -1)
    torch.testing.assert_close(load_image(tmp_path / "a.tiff"), expected, atol=1 / 127.0, rtol=0.0)


def test_floats_brighter_than_white_and_not_numbers_are_clipped(tmp_path):
    levels = np.full((32, 32), 0.5, np.float32)
    levels[0, :3] = (4.0, np.nan, -1.0)
    Image.fromarray(levels).save(tmp_path / "a.tiff")
    found = load_image(tmp_path / "a.tiff")[0, 0]
    assert found[0, :3].tolist() == [1.0, -1.0, -1.0]
    assert float(found[1, 1]) == pytest.approx(0.0, abs=0.01)
