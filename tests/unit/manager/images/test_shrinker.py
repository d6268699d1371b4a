"""The real child process, with real images and with what is none."""

from __future__ import annotations

import asyncio
import io
import sys

import pytest
from PIL import Image

from flamenco_core.manager.images.shrinker import SIZES, BrokenImage, Shrinker, can_read_exr


def picture(format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2400, 1350), "red").save(file, format)
    return file.getvalue()


def program(code: str, patience: float = 60.0) -> Shrinker:
    return Shrinker((sys.executable, "-c", code), patience=patience)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
async def test_three_jpegs_are_made(format) -> None:
    made = await Shrinker().shrink(format, picture(format))
    images = [Image.open(io.BytesIO(data)) for data in made]
    assert [(image.format, image.size) for image in images] == [
        ("JPEG", (1920, 1080)),
        ("JPEG", (600, 338)),
        ("JPEG", (199, 112)),
    ]


async def test_what_is_broken_says_why() -> None:
    with pytest.raises(BrokenImage, match="UnidentifiedImageError: cannot identify"):
        await Shrinker().shrink("PNG", b"<script>" * 100_000)
    with pytest.raises(BrokenImage, match="an OpenEXR with a broken header"):
        await Shrinker().shrink("EXR", b"v/1\x01")


async def test_who_takes_too_long_is_stopped() -> None:
    shrinker = program("import time; time.sleep(600)", patience=0.05)
    with pytest.raises(BrokenImage, match=r"longer than 0\.05 s"):
        # More than a pipe holds: it is not even read.
        await shrinker.shrink("PNG", b"x" * 1_000_000)


async def test_who_dies_is_no_trouble() -> None:
    shrinker = program("import os; os._exit(7)")
    with pytest.raises(BrokenImage, match="ended with code 7"):
        await shrinker.shrink("PNG", b"x" * 1_000_000)


async def test_its_last_words_are_one_harmless_line() -> None:
    words = "import sys; print('first\\nlast \\x1b[31m' + 'y' * 999); sys.exit(3)"
    with pytest.raises(BrokenImage) as caught:
        await program(words).shrink("PNG", b"")
    assert str(caught.value).startswith("last ?[31my")
    assert len(str(caught.value)) == 300


async def test_who_prints_without_end_is_stopped() -> None:
    with pytest.raises(BrokenImage, match="printed too much"):
        await program("while True: print('x' * 100_000)").shrink("PNG", picture())


@pytest.mark.parametrize(
    "words", ["b''", "b'xx'", "b'\\0\\0\\0\\x09x'", "b'\\0\\0\\0\\1x' * 4", "b'\\xff' * 99"]
)
async def test_what_is_not_three_jpegs_is_not_taken(words) -> None:
    with pytest.raises(BrokenImage, match="did not print what it should"):
        await program(f"import sys; sys.stdout.buffer.write({words})").shrink("PNG", b"")


async def test_it_does_not_get_the_secrets_of_the_manager(monkeypatch) -> None:
    monkeypatch.setenv("FLAMENCO_DATABASE", "postgresql://me:secret@host/farm")
    code = "import os, sys; print(sorted(os.environ)); sys.exit(3)"
    with pytest.raises(BrokenImage) as caught:
        await program(code).shrink("PNG", b"")
    assert "PATH" in str(caught.value)
    assert "FLAMENCO" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="platform: Windows has no such limits")
async def test_it_has_limits_before_it_reads_anything() -> None:
    code = (
        "import resource, sys; from flamenco_core.pictures.__main__ import limit_myself;"
        "limit_myself(); print(*(resource.getrlimit(getattr(resource, 'RLIMIT_' + name))[1]"
        " for name in ('AS', 'CPU', 'FSIZE', 'CORE'))); sys.exit(3)"
    )
    with pytest.raises(BrokenImage, match=f"{2 * 1024**3} 30 0 0"):
        await program(code).shrink("PNG", b"")


def test_whether_exr_can_be_read_is_known() -> None:
    assert can_read_exr()
    assert len(SIZES) == 3


async def test_nothing_is_left_when_it_is_cancelled() -> None:
    program = "import sys, time; sys.stdin.read(); time.sleep(600)"
    started = asyncio.Event()

    class Watched(Shrinker):
        async def shrink(self, kind, image):
            started.set()
            return await super().shrink(kind, image)

    work = asyncio.create_task(Watched((sys.executable, "-c", program)).shrink("PNG", b"x"))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await work


async def test_without_a_program_it_is_an_error_of_the_machine() -> None:
    with pytest.raises(OSError, match="nowhere"):
        await Shrinker(("/nowhere/python",)).shrink("PNG", b"x")
