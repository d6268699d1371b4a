"""F2, row 5: the power goes, and what was acknowledged must be on the disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from faults.audit import check_file, deliver_verdict
from faults.client import Person
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, run_farm

CUTS = 5
ROOT = Path(__file__).parents[2]


class PowerDisk:
    """A mounted disk whose plug can be pulled."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.back = stage.place(f"{name}/back")
        self.mount = stage.place(f"{name}/mount")
        self._log = (stage.folder / name / "disk.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.disk", str(self.back), str(self.mount)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            cwd=ROOT,
        )
        stage.leaving.callback(self.unmount)

    async def ready(self) -> PowerDisk:
        await until(self.mount.is_mount, 10, "a mounted disk")
        return self

    def cut(self, seed: int) -> None:
        """Pull the plug: what is not on the disk is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"cut {seed}\n".encode())
        self._process.stdin.flush()
        self._process.wait(10)

    def unmount(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        subprocess.run(["umount", "--lazy", self.mount], check=False, capture_output=True)
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._log.close()


@row(
    "F2",
    "row 5: power cut under load, unflushed writes lost or torn",
    needs="linux root fuse",
    limit=150,
)
async def power_cuts(stage: Stage) -> str:
    acknowledged = results = 0
    cuts = round(CUTS * stage.scale)
    for number in range(cuts):
        # The first one is the worst case, nothing at all; the others leave some.
        seed = number and stage.chance.randrange(1, 2**31)
        acked, done = await _one(stage, number, seed)
        acknowledged += acked
        results += done
    if acknowledged < 200 * cuts:
        raise Broken(f"only {acknowledged} writes were acknowledged: this proves little")
    return f"{cuts} cuts, 0 of {acknowledged} acknowledged writes lost ({results} results)"


async def _one(stage: Stage, number: int, seed: int) -> tuple[int, int]:
    disk = await PowerDisk(stage, f"cut-{number}").ready()
    manager = Manager(stage, f"manager-{number}", data=disk.mount / "data")
    await manager.start(30)
    # Each Manager has a history of its own: it has a database of its own.
    history = type(stage.history)(stage.folder / f"history-{number}.jsonl")
    async with manager.http(timeout=5) as http:
        person = Person(http, history)
        workers = [
            FakeWorker(
                url=manager.url, history=history, name=f"w{n}", chance=stage.chance, work=0.001
            )
            for n in range(12)
        ]
        for _ in range(4):
            await person.submit(400, after=3)
        async with run_farm(workers):
            await asyncio.sleep(4 + stage.chance.random() * 2)
            disk.cut(seed)
            manager.kill()
    disk.unmount()
    file = disk.back / "data" / manager.file.name
    try:
        check_file(file)
        verdict = await deliver_verdict(history, str(file), ttl=3.5, drained=False)
    except Broken as error:
        raise Broken(f"cut {number} (seed {seed}): {error}") from error
    finally:
        history.close()
    acked = sum(
        op.is_ok for op in history.ops() if op.op in ("submit", "claim", "update", "cancel")
    )
    return acked, verdict.results
