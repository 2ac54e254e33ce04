import hashlib
import io
import struct
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from handlore.datasets.files import is_picture
from handlore.datasets.pictures import picture_and_digest, read_picture
from handlore.landmarks.errors import InvalidDataError

EXIF_ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def rgb():
    """Eight by six squares of different colours, 80x60: no two sides are alike."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    return np.kron(colours, np.ones((10, 10, 1))).astype(np.uint8)


@pytest.fixture(scope="module")
def transparent(rgb):
    """The same with its upper half fully transparent, over black."""
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:30] = 0
    return np.dstack([rgb * (alpha[..., None] > 0), alpha])


def encoded(pixels, kind, **options):
    stream = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def decoded(tmp_path):
    """Read the bytes of a picture file."""

    def read(data):
        (tmp_path / "picture").write_bytes(data)
        return read_picture(tmp_path / "picture")[0]

    return read


def by_opencv(pixels, ending):
    done, data = cv2.imencode(ending, pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    assert done
    return data.tobytes()


def with_app1(jpeg, orientation):
    """Put an EXIF segment with nothing but the orientation behind the start of a JPEG."""
    entry = struct.pack(">HHIHH", EXIF_ORIENTATION, 3, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def turned(pixels, orientation):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    picture = Image.fromarray(pixels)
    picture.info["exif"] = exif.tobytes()
    return np.asarray(ImageOps.exif_transpose(picture))


def squares(pixels):
    """Return the colour at the middle of each square, where compression does little harm."""
    return pixels[5::10, 5::10].astype(int)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "PPM", "JPEG2000"])
def test_pictures_without_loss_are_read_as_they_are(rgb, kind, decoded):
    np.testing.assert_array_equal(decoded(encoded(rgb, kind)), rgb)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("AVIF", {})],
    ids=["jpeg", "progressive jpeg", "webp", "avif"],
)
def test_pictures_with_loss_keep_their_colours(rgb, kind, options, decoded):
    # Chroma is stored at half size, so a square of 10 pixels is a little off near its border.
    pixels = decoded(encoded(rgb, kind, quality=95, **options))
    assert pixels.shape == rgb.shape
    assert np.median(np.abs(squares(pixels) - squares(rgb))) < 6


def test_a_cmyk_jpeg_keeps_its_colours(rgb, decoded):
    jpeg = encoded(Image.fromarray(rgb).convert("CMYK"), "JPEG", quality=95)
    assert np.median(np.abs(squares(decoded(jpeg)) - squares(rgb))) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_exif_orientations_of_a_jpeg_are_honoured(rgb, orientation, decoded):
    jpeg = with_app1(encoded(rgb, "JPEG", quality=95, subsampling=0), orientation)
    expected = turned(rgb, orientation)
    pixels = decoded(jpeg)
    assert pixels.shape == expected.shape
    assert np.median(np.abs(squares(pixels) - squares(expected))) < 6


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("colours", ["RGB", "RGBA"])
def test_exif_orientation_is_honoured_in_other_formats(rgb, kind, colours, decoded):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    picture = Image.fromarray(rgb).convert(colours)
    if colours == "RGBA":
        picture.putpixel((0, 0), (0, 0, 0, 0))  # else some encoders leave the alpha away
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decoded(encoded(picture, kind, exif=exif, **options))
    np.testing.assert_array_equal(squares(pixels), squares(turned(rgb, 6)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_grey_becomes_rgb(rgb, kind, decoded):
    grey = rgb[..., 0].copy()
    pixels = decoded(encoded(grey, kind))
    assert pixels.shape == rgb.shape
    assert np.median(np.abs(pixels.astype(int) - grey[..., None])) <= 1
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_black_and_white_becomes_rgb(rgb, decoded):
    mask = rgb[..., 0] > 127
    pixels = decoded(encoded(Image.fromarray(mask), "PNG"))
    np.testing.assert_array_equal(pixels, np.repeat(mask[..., None] * np.uint8(255), 3, axis=2))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {"quality": 100})],
)
def test_transparency_is_laid_over_white(rgb, transparent, kind, options, decoded):
    pixels = decoded(encoded(transparent, kind, **options)).astype(int)
    assert pixels[:25].min() > 245
    assert np.median(np.abs(squares(pixels)[3:] - squares(rgb)[3:])) < 6


def test_half_transparency_is_half_white(rgb, decoded):
    half = np.dstack([np.zeros_like(rgb), np.full(rgb.shape[:2], 128, np.uint8)])
    np.testing.assert_allclose(decoded(encoded(half, "PNG")), 127, atol=1)


def test_grey_with_transparency_is_laid_over_white(transparent, decoded):
    channels = [Image.fromarray(np.ascontiguousarray(transparent[..., k])) for k in (0, 3)]
    pixels = decoded(encoded(Image.merge("LA", channels), "PNG"))
    assert (pixels[:30] == 255).all()
    np.testing.assert_array_equal(pixels[30:, :, 1], transparent[30:, :, 0])


@pytest.mark.parametrize("profile", [b"", bytes(range(256)) * 20], ids=["plain", "with ICC"])
def test_a_palette_with_a_transparent_colour_is_laid_over_white(profile, decoded):
    indices = np.zeros((20, 30), np.uint8)
    indices[10:] = 1
    picture = Image.frombytes("P", (30, 20), indices.tobytes())
    picture.putpalette([0, 0, 0, 200, 100, 50])
    # A profile that does not compress puts the transparency far behind the start of the file.
    noise = np.random.default_rng(0).bytes(len(profile))
    options = {"icc_profile": noise} if profile else {}
    pixels = decoded(encoded(picture, "PNG", transparency=0, **options))
    assert (pixels[:10] == 255).all()
    np.testing.assert_array_equal(pixels[15, 15], [200, 100, 50])


def test_a_palette_is_looked_up(rgb, decoded):
    picture = Image.fromarray(rgb).quantize(48)
    np.testing.assert_array_equal(
        decoded(encoded(picture, "PNG")), np.asarray(picture.convert("RGB"))
    )


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_16_bits_become_8(rgb, ending, channels, decoded):
    eight = rgb if channels == 3 else rgb[..., 0]
    pixels = decoded(by_opencv(eight.astype(np.uint16) * 257, ending))
    np.testing.assert_array_equal(pixels, eight if channels == 3 else np.dstack([eight] * 3))


def test_16_bits_with_transparency_become_8(transparent, decoded):
    data = cv2.imencode(".png", cv2.cvtColor(transparent, cv2.COLOR_RGBA2BGRA).astype("u2") * 257)
    pixels = decoded(data[1].tobytes())
    assert (pixels[:30] == 255).all()
    np.testing.assert_array_equal(pixels[30:], transparent[30:, :, :3])


def test_a_12_bit_camera_is_not_all_black(rgb, decoded):
    pixels = decoded(by_opencv(rgb.astype(np.uint16) * 16, ".png"))
    np.testing.assert_array_equal(pixels, rgb)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_pictures_span_0_to_1(rgb, dtype, decoded):
    pixels = decoded(by_opencv((rgb / 255).astype(dtype), ".tif"))
    np.testing.assert_allclose(pixels, rgb, atol=1)


@pytest.mark.filterwarnings("error")
def test_values_that_are_no_numbers_are_read_in_silence(rgb, decoded):
    values = (rgb / 255).astype(np.float32)
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    pixels = decoded(by_opencv(values, ".tif"))
    np.testing.assert_array_equal(pixels[0, :3, 0], [0, 255, 0])


@pytest.mark.parametrize("size", [(1, 1), (20_000, 50), (50, 20_000), (3, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pictures_of_any_shape_are_read(size, kind, decoded):
    width, height = size
    assert decoded(encoded(Image.new("RGB", size), kind)).shape == (height, width, 3)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG", "AVIF", "PPM"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
def test_a_picture_that_was_cut_off_is_refused(rgb, kind, share, decoded):
    data = encoded(rgb, kind)
    with pytest.raises(InvalidDataError):
        decoded(data[: int(len(data) * share)])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_off_anywhere_is_refused(rgb, progressive, decoded):
    data = encoded(rgb, "JPEG", progressive=progressive)
    for length in [*range(2, len(data), 61), len(data) - 2, len(data) - 1]:
        with pytest.raises(InvalidDataError, match="cut off"):
            decoded(data[:length])


def jpeg_with_thumbnail(rgb):
    thumbnail = encoded(Image.fromarray(rgb).resize((16, 12)), "JPEG")
    assert thumbnail.endswith(b"\xff\xd9")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = encoded(rgb, "JPEG", quality=95)
    return whole[:2] + segment + whole[2:]


def test_the_end_of_a_thumbnail_is_not_taken_for_the_end_of_the_picture(rgb, decoded):
    data = jpeg_with_thumbnail(rgb)
    assert decoded(data).shape == rgb.shape
    with pytest.raises(InvalidDataError, match="cut off"):
        decoded(data[: int(len(data) * 0.8)])


def test_what_stands_behind_the_end_of_a_jpeg_does_no_harm(rgb, decoded):
    jpeg = encoded(rgb, "JPEG")
    for tail in (b"\0" * 100, b"appended by a phone", jpeg, b"\n"):
        np.testing.assert_array_equal(decoded(jpeg + tail), decoded(jpeg))


def test_a_picture_that_claims_to_be_huge_is_refused(rgb, decoded):
    data = bytearray(encoded(rgb, "PNG"))
    data[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(InvalidDataError):
        decoded(bytes(data))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "the file is empty"),
        (b"hello, I am a text\n" * 20, "it is a text file, not a picture"),
        ("Grüße".encode(), "it is a text file, not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99), "HEIC"),
        (b"\x7fELF" + bytes(200), "not a picture that OpenCV can read"),
        (b"\x89PNG\r\n\x1a\n", "cut off or damaged"),
        (b"\xff\xd8", "the JPEG is cut off"),
        (b"GIF89a", "cut off or damaged"),
        (b"BM", "cut off or damaged"),
        (b"RIFF", "cut off or damaged"),
        (b"RIFF\0\0\0\0WEBPVP8X", "cut off or damaged"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(content, match, decoded):
    with pytest.raises(InvalidDataError, match=match):
        decoded(content)


def test_a_file_is_read_with_its_digest(tmp_path, rgb):
    path = tmp_path / "große Hand 1.PNG"
    path.write_bytes(encoded(rgb, "PNG"))
    pixels, sha256 = read_picture(path)
    np.testing.assert_array_equal(pixels, rgb)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("folder", "folder: cannot be read: Is a directory"),
        ("missing.jpg", "there is no file .*missing.jpg; did you mean .*missing2.jpg"),
        ("missing2.jpg", "missing2.jpg: the file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_says_why(tmp_path, name, says):
    (tmp_path / "folder").mkdir()
    (tmp_path / "missing2.jpg").touch()
    with pytest.raises(InvalidDataError, match=says):
        read_picture(tmp_path / name)
    if name != "missing.jpg":
        with pytest.raises(InvalidDataError) as without:
            picture_and_digest(tmp_path / name)
        assert name not in str(without.value)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.jpg", True), ("a.JPEG", True), ("a.Tif", True), ("a.heic", True), ("a.webp", True),
     ("a.txt", False), ("jpg", False), ("a.jpg.bak", False), ("a.mp4", False)],
)  # fmt: skip
def test_pictures_are_recognised_by_their_ending(tmp_path, name, is_one):
    assert is_picture(tmp_path / name) is is_one


def test_heic_is_read_with_its_package_and_named_without(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, 48:] = (250, 20, 20)
    path = tmp_path / "IMG_0001.HEIC"
    heif.from_pillow(Image.fromarray(pixels)).save(str(path), quality=95)
    found, _ = read_picture(path)
    assert found.shape == (64, 96, 3)
    assert np.abs(found.astype(int) - pixels).mean() < 12
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        InvalidDataError, match=r"pip install 'handlore\[heif\]'.*export it as JPEG"
    ):
        read_picture(path)


@pytest.mark.parametrize("name", ["a.jfif", "a.JFIF"])
def test_jfif_is_a_jpeg(tmp_path, name):
    done, data = cv2.imencode(".jpg", np.full((20, 30, 3), 90, np.uint8))
    assert done
    (tmp_path / name).write_bytes(data.tobytes())
    assert is_picture(tmp_path / name)
    assert read_picture(tmp_path / name)[0].shape == (20, 30, 3)
