"""Row 45: settings files that are half written, wrong, huge, or bombs."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from faults.load import slowness
from faults.manager import Manager
from faults.matrix import Broken, Stage, row

ALIASES = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)
PLACE = r":\d+"
# What is in the file, and whether the message must name a line of it.
FILES: dict[str, tuple[bytes, str]] = {
    "half written": (b"manager_name: x\nvariables:\n  blender: {values: [{platform: li", "line"),
    "wrong type": (b"manager_name: x\ntask_timeout: [1, 2]\n", "line"),
    "a list": (b"- 1\n- 2\n", ""),
    "100,000 lines": (b"".join(b"key%d: %d\n" % (n, n) for n in range(100_000)), ""),
    "alias bomb": (ALIASES.encode(), ""),
    "deep": (b"plugins: " + b"[" * 5000 + b"]" * 5000, ""),
    "binary": (bytes(range(256)) * 50, ""),
    "no UTF-8": (b"manager_name: \xff\xfe\n", ""),
    "tag": (b"manager_name: !!python/object/apply:os.system [id]\n", "line"),
    "twice": (b"manager_name: x\nmanager_name: y\n", "line"),
}
MAY_START = {"100,000 lines", "alias bomb"}
"""Refused or read, as it likes, if it is quick and small."""


@row("45", "settings: half written, wrong type, 100,000 lines, alias bomb, 5,000 deep", limit=120)
async def settings(stage: Stage) -> str:
    wrong = []
    for name, (text, word) in FILES.items():
        if problem := await _tried(stage, name, text, word):
            wrong.append(f"{name}: {problem}")
    if wrong:
        raise Broken("; ".join(wrong))
    return f"{len(FILES)} files: refused with the file's name and the place, or read quickly"


async def _tried(stage: Stage, name: str, text: bytes, word: str) -> str:
    manager = Manager(stage, name.replace(" ", "-").replace(",", ""))
    manager.data.mkdir(parents=True)
    file = Path(manager.data / "flamenco-manager.yaml")
    file.write_bytes(text)
    slow, began = slowness(), time.monotonic()
    manager.launch()
    while manager.is_alive and "is ready" not in manager.said():
        if time.monotonic() - began > 5 + 5 * slow:
            return f"neither refused nor read within {time.monotonic() - began:.0f} s"
        await asyncio.sleep(0.05)
    said = manager.said()
    if "Traceback" in said:
        return f"a traceback: {said.strip().splitlines()[-1][:120]}"
    if manager.is_alive:
        memory = manager.memory()
        manager.kill()
        if name not in MAY_START:
            return "it is taken as it is"
        return f"RSS {memory:.0f} MB" if memory > 200 else ""
    if not re.search(rf"{re.escape(file.name)}{PLACE if word == 'line' else ''}", said):
        return f"the message says neither file nor place: {said.strip()[-200:]}"
    return ""
