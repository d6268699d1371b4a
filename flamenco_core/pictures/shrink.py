"""Small JPEGs of an image of any kind that can be shown."""

from __future__ import annotations

import io
import warnings

from PIL import Image

from flamenco_core.pictures.kinds import MOST_PIXELS, checked_kind

__all__ = ["fitting", "shrunk"]

QUALITY = 85

Size = tuple[int, int]


def shrunk(data: bytes, kind: str, boxes: list[Size]) -> list[bytes]:
    """Return JPEGs that fit into *boxes*; none is larger than the image itself.

    Raises any error that a broken image can cause.
    """
    image = _read_exr(data, boxes[0]) if kind == "EXR" else _read(data, kind, boxes[0])
    made = []
    for box in boxes:
        image = _fitted(image, box)
        file = io.BytesIO()
        _on_black(image).save(file, "JPEG", quality=QUALITY)
        made.append(file.getvalue())
    return made


def fitting(size: Size, box: Size) -> Size:
    """Return the largest size with the aspect of *size* in *box*; never a larger one."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _read(data: bytes, kind: str, box: Size) -> Image.Image:
    # Over the limit Pillow only warns; we do not look at it at all.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=[kind]) as opened:
            # A JPEG can be decoded at a fraction of its size; twice leaves enough to filter.
            opened.draft("RGB", (box[0] * 2, box[1] * 2))
            return _colored(opened)


def _read_exr(data: bytes, box: Size) -> Image.Image:
    # Its decoder makes room for whatever the header says, so that is looked at before.
    checked_kind(data)
    from flamenco_core.pictures.exr import decoded

    return decoded(data, lambda size: fitting(size, box))


def _colored(image: Image.Image) -> Image.Image:
    """Return an image with 8 bits for each color, transparency included."""
    if image.mode.startswith("I"):
        # 16-bit gray: Pillow would cut off all above 255 instead of scaling it.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _fitted(image: Image.Image, box: Size) -> Image.Image:
    size = fitting(image.size, box)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _on_black(image: Image.Image) -> Image.Image:
    """Return an image without transparency: JPEG has none."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size)
    ground.paste(image, mask=image.getchannel("A"))
    return ground
