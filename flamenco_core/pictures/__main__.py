"""Makes small JPEGs of one image: a process of its own, which may die of it.

Strangers' files are decoded by code in C that was written to be fast. Here it has neither
the Manager's memory nor its secrets, and limits of the operating system.

Called as ``python -m flamenco_core.pictures KIND WIDTHxHEIGHT...`` with the image as its
input. It prints each JPEG behind its length (4 bytes, big-endian). Each is made of the one
before, so the sizes go from large to small. A broken image is exit code 3 and one line of
why.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys

__all__ = ["BROKEN", "main"]

BROKEN = 3
MOST_MEMORY = 2 * 1024**3
MOST_SECONDS = 30


def main() -> int:
    """Read, shrink, print."""
    kind, *sizes = sys.argv[1:]
    limit_myself()
    # Not before the limits: the codecs come with it.
    from flamenco_core.pictures.shrink import shrunk

    boxes = [(int(w), int(h)) for w, _, h in (size.partition("x") for size in sizes)]
    try:
        made = shrunk(sys.stdin.buffer.read(), kind, boxes)
    # The border to whatever a stranger has sent: no image may end in a traceback.
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        return BROKEN
    for data in made:
        sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    return 0


def limit_myself() -> None:
    """Take no more than a fair part of the machine, and write no files."""
    try:
        import resource
    except ImportError:
        return  # Windows: the Manager's own time limit has to do
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS refuses some of them, and a machine may have set lower ones.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    with contextlib.suppress(OSError):
        os.nice(5)


if __name__ == "__main__":
    sys.exit(main())
