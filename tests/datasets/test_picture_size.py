"""Pictures are measured by their header: large ones are read smaller, huge ones refused."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from handlore.datasets import pictures
from handlore.datasets.pictures import PictureSize, _measured, read_picture
from handlore.landmarks.errors import InvalidDataError

ORIENTATION = 0x0112


def encoded(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **more) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else None).save(stream, kind, **more)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size; its pixels are missing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encoded("JPEG"), "jpeg"),
        (encoded("JPEG", progressive=True), "progressive"),
        (encoded("PNG"), ""),
        *((encoded(kind), kind.lower()) for kind in ("TIFF", "GIF", "JPEG2000", "AVIF")),
        *((encoded(kind), "") for kind in ("BMP", "WEBP", "PPM")),
        (cv2.imencode(".ras", np.zeros((40, 60, 3), np.uint8))[1].tobytes(), ""),
        (cv2.imencode(".hdr", np.zeros((40, 60, 3), np.float32))[1].tobytes(), ""),
    ],
)
def test_headers(data: bytes, kind: str) -> None:
    assert _measured(data) == PictureSize(60, 40, kind)


def test_transparency_is_noticed() -> None:
    assert _measured(encoded("PNG", mode="RGBA")) == PictureSize(60, 40, "", transparent=True)
    assert _measured(encoded("AVIF", mode="RGBA")) == PictureSize(60, 40, "avif", transparent=True)


@pytest.mark.parametrize(("kind", "most"), [("AVIF", 25), ("JPEG2000", 25), ("GIF", 50)])
def test_decoders_that_take_much_memory_get_less(kind: str, most: int) -> None:
    """AVIF and JPEG 2000 take 16 bytes a pixel, GIF 8."""
    made = _measured(encoded(kind))
    assert made is not None
    PictureSize(1000, 999 * most, made.kind).require_usable(1000)
    with pytest.raises(InvalidDataError, match="such a file"):
        PictureSize(1000, 1001 * most, made.kind).require_usable(1000)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff\xff", b"no picture", b"\x89PNG\r\n\x1a\n"]
)
def test_what_has_no_size(data: bytes) -> None:
    assert _measured(data) is None


@pytest.mark.parametrize(
    ("width", "height", "why"),
    [
        (32_000, 32_000, "more than 133 million pixels"),
        (12_000, 12_000, "12,000 x 12,000 pixels, expected at most 133 million"),
        (200_000, 10, "expected sides of at most 32,000"),
    ],
)
def test_bombs_are_refused_unread(width: int, height: int, why: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(width, height))
    with pytest.raises(InvalidDataError, match=why):
        read_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_large_photos_are_read_smaller(
    kind: str, orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "FULL_PIXELS", 4000)
    ramp = np.zeros((80, 160, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 160)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    more = {} if kind == "BMP" else {"exif": exif}
    path = tmp_path / f"photo.{kind.lower()}"
    Image.fromarray(ramp).save(path, kind, **more)
    pixels, _ = read_picture(path)
    turned = orientation == 6 and kind != "BMP"
    assert pixels.shape == ((80, 40, 3) if turned else (40, 80, 3))
    along = pixels[:, 20, 0] if turned else pixels[20, :, 0]
    assert abs(along.astype(int) - np.linspace(0, 255, 80)).max() < 8


def test_large_transparent_pictures_are_read_smaller_over_white(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "FULL_PIXELS", 4000)
    Image.new("RGBA", (160, 80), (0, 0, 0, 0)).save(tmp_path / "a.png")
    pixels, _ = read_picture(tmp_path / "a.png")
    assert pixels.shape == (40, 80, 3)
    assert pixels.min() == 255


PEAK = (
    "import sys; from pathlib import Path; from handlore.datasets.pictures import read_picture;"
    " shape = read_picture(Path(sys.argv[1]))[0].shape;"
    # ru_maxrss would count what the parent used when it started this.
    " (peak,) = [line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line];"
    " print(*shape, int(peak) // 1024)"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_photo_of_100_megapixels(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo.{ending}"
    Image.radial_gradient("L").resize((11_600, 8_700)).convert("RGB").save(path)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True
    )
    height, width, _, peak = map(int, done.stdout.split())
    assert (height, width) == (2175, 2900)
    assert peak < 600
