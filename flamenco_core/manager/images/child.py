"""Makes small JPEGs of one image: a process of its own, which may die of it.

Strangers' files are decoded by code in C that was written to be fast. Here it has neither
the Manager's memory nor its files, and limits of the operating system.

Called as ``child.py KIND MOST_PIXELS WIDTHxHEIGHT...`` with the image as its input. It
prints each JPEG behind its length (4 bytes, big-endian). Each is made of the one before, so
the sizes go from large to small. A broken image is exit code 3 and one line of why.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import warnings

from PIL import Image

BROKEN = 3
QUALITY = 85
MOST_MEMORY = 2 * 1024**3
MOST_SECONDS = 60

Size = tuple[int, int]


def main() -> int:
    """Read, shrink, print."""
    kind, most_pixels, *sizes = sys.argv[1:]
    limit_myself()
    # Over the limit Pillow only warns; we do not look at it at all.
    Image.MAX_IMAGE_PIXELS = int(most_pixels)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    boxes = [(int(w), int(h)) for w, _, h in (size.partition("x") for size in sizes)]
    try:
        made = shrunk(sys.stdin.buffer.read(), kind, boxes)
    # The border to whatever a stranger has sent: no image may end in a traceback.
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return BROKEN
    for data in made:
        sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    return 0


def limit_myself() -> None:
    """Take no more than a fair part of the machine."""
    try:
        import resource
    except ImportError:
        return  # Windows: the Manager's own time limit has to do
    for what, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS)):
        # macOS refuses some of them, and a machine may have set lower ones.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(OSError):
        os.nice(5)


def shrunk(data: bytes, kind: str, boxes: list[Size]) -> list[bytes]:
    """Return JPEGs that fit into *boxes*; none is larger than the image itself."""
    with Image.open(io.BytesIO(data), formats=[kind]) as opened:
        # A JPEG can be decoded at a fraction of its size; twice leaves enough to filter.
        opened.draft("RGB", (boxes[0][0] * 2, boxes[0][1] * 2))
        image = colored(opened)
    made = []
    for box in boxes:
        image = fitted(image, box)
        file = io.BytesIO()
        on_black(image).save(file, "JPEG", quality=QUALITY)
        made.append(file.getvalue())
    return made


def colored(image: Image.Image) -> Image.Image:
    """Return an image with 8 bits for each color, transparency included."""
    if image.mode.startswith("I"):
        # 16-bit gray: Pillow would cut off all above 255 instead of scaling it.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def fitted(image: Image.Image, box: Size) -> Image.Image:
    """Return an image that fits into *box*, with its aspect kept."""
    scale = min(box[0] / image.width, box[1] / image.height)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def on_black(image: Image.Image) -> Image.Image:
    """Return an image without transparency: JPEG has none."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


if __name__ == "__main__":
    sys.exit(main())
