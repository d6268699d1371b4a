"""Last-rendered images: time and memory of the process that makes one small.

Then a Manager's part: three hundred images, most of them large, go through its slots, and
its own memory is looked at before and after. The aim: it does not grow.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

from flamenco_core.manager.images import Upload
from flamenco_core.manager.images.shrinker import _PROGRAM, SIZES, Shrinker, _environment
from flamenco_core.manager.images.slots import Slots

HD, UHD, MOST = (1920, 1080), (3840, 2160), (8660, 5770)
FLOOD = 300


def main() -> None:
    light = smooth(UHD)
    for name, kind, image in (
        ("JPEG HD", "JPEG", picture("JPEG", HD)),
        ("PNG HD", "PNG", picture("PNG", HD)),
        ("PNG 4K", "PNG", picture("PNG", UHD)),
        ("PNG 50 MP", "PNG", picture("PNG", MOST)),
        ("WebP 4K", "WEBP", picture("WEBP", UHD)),
        ("EXR HD half", "EXR", exr(smooth(HD), 1)),
        ("EXR 4K half", "EXR", exr(light, 1)),
        ("EXR 4K, 8 layers", "EXR", exr(light, 8)),
    ):
        wall, cpu, peak = made_small(kind, image)
        size = len(image) / 1e6
        print(f"{name:20} {size:6.1f} MB: {wall:5.2f} s, CPU {cpu:5.2f} s, peak {peak:5.0f} MB")
    asyncio.run(flood(picture("JPEG", HD), exr(light, 1)))


def smooth(size: tuple[int, int]) -> np.ndarray:
    x, y = np.meshgrid(*(np.linspace(0, 9, length) for length in size))
    return (np.sin(x) * np.cos(y) * 2 + 2).astype(np.float16)


def picture(format: str, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    channel = Image.fromarray((smooth(size) * 60).astype(np.uint8))
    Image.merge("RGB", [channel] * 3).save(file, format)
    return file.getvalue()


def exr(light: np.ndarray, layers: int) -> bytes:
    file = io.BytesIO()
    names = [f"V.{n or 'Combined'}.{color}" for n in range(layers) for color in "RGB"]
    header = {"compression": OpenEXR.DWAA_COMPRESSION}
    OpenEXR.File(header, dict.fromkeys(names, light)).write(file)
    return file.getvalue()


# A child inherits the peak of whoever starts it, so that is somebody small.
STARTER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
child.returncode = status
wall = time.perf_counter() - started
print(json.dumps([status, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""


def made_small(kind: str, image: bytes) -> list[float]:
    program = [*_PROGRAM, kind, *(f"{width}x{height}" for width, height in SIZES)]
    argv = [sys.executable, "-I", "-S", "-c", STARTER, *program]
    done = subprocess.run(argv, input=image, capture_output=True, env=_environment(), check=True)
    status, *figures = json.loads(done.stdout)
    assert status == 0, kind
    return figures


async def flood(small: bytes, large: bytes) -> None:
    slots, shrinker = Slots(), Shrinker()

    async def work() -> None:
        while True:
            upload = await slots.take()
            await shrinker.shrink(upload.kind, upload.image)
            slots.done(upload)

    workers = [asyncio.create_task(work()) for _ in range(2)]
    before, started = resident(), time.perf_counter()
    for number in range(FLOOD):
        image, kind = (large, "EXR") if number % 10 == 0 else (small, "JPEG")
        # Of its own, as a request would bring it.
        image = bytes(bytearray(image))
        slots.put(Upload(job=f"{number % 20}", task="t", kind=kind, image=image))
        await asyncio.sleep(0.01)
    await slots.idle()
    seconds, shown = time.perf_counter() - started, FLOOD - slots.dropped
    print(f"{FLOOD} images of 20 jobs: {shown} shown, {slots.dropped} outdone, {seconds:.1f} s")
    print(f"memory of the process that has it done: {before:.0f} MB before, {resident():.0f} after")
    for worker in workers:
        worker.cancel()


def resident() -> float:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
