"""Row 41: plugins that raise, hang, and return nonsense; row 43: a worker that is deleted."""

from __future__ import annotations

import asyncio
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.rows.slow import Pings
from faults.workers import FakeWorker, run_farm

PLUGINS = {
    "raises": """
from flamenco_core import hookimpl

@hookimpl
def on_event(event):
    raise RuntimeError("on purpose")

@hookimpl
def check_submission(job):
    if job.name == "refuse":
        raise RuntimeError("on purpose")
    return []
""",
    "nonsense": """
from flamenco_core import hookimpl

@hookimpl
def choose_task(candidates):
    return "nonsense"

@hookimpl
def find_identity(connection):
    return None
""",
    "hangs": """
import asyncio

from flamenco_core import hookimpl

@hookimpl
async def on_event(event):
    await asyncio.sleep(3600)
""",
    "blocks": """
import time

from flamenco_core import hookimpl

@hookimpl
def on_event(event):
    time.sleep(0.5)
""",
    "broken": "this is no Python\n",
    "listens": """
from pathlib import Path

from flamenco_core import hookimpl

HEARD = Path(__file__).parent.parent / "heard"

@hookimpl
def on_event(event):
    with HEARD.open("a") as file:
        file.write("x")
""",
}


@row("41", "plugins that raise, hang, block, return nonsense, are no Python", limit=90)
async def hooks(stage: Stage) -> str:
    manager = Manager(stage)
    for name, text in PLUGINS.items():
        (manager.plugins / f"{name}.py").write_text(text)
    await manager.start()
    wrong = []
    async with manager.http(timeout=15) as http:
        person = Person(http, stage.history)
        workers = [
            FakeWorker(url=manager.url, history=stage.history, name=f"w{n}", chance=stage.chance)
            for n in range(4)
        ]
        pings = Pings(manager)
        async with run_farm(workers), pings.going_on():
            await person.submit(40, after=3)
            refused = await person._do(
                "submit",
                "refused",
                "POST",
                "/api/v3/jobs",
                {"name": "refuse", "type": "fault-test", "submitter_platform": "linux"},
            )
            await drain(person, 45)
        if refused is None or refused.status != 400 or "raises" not in refused.text:
            wrong.append(f"a check that raises: {refused and (refused.status, refused.text)}")
        heard = manager.folder / "heard"
        if not heard.exists() or heard.stat().st_size < 40:
            wrong.append("a plugin that hangs keeps the others from hearing what happens")
        listed = (await http.get("/api/v3/plugins")).text
        if "broken" not in listed:
            wrong.append("a broken plugin is not listed")
    if pings.worst() > 1000 or pings.failures:
        wrong.append(f"/live took {pings.worst():.0f} ms beside a hook that blocks")
    noise = manager.said().count("on purpose")
    stopped = await _stop(manager)
    log = manager.said().replace("Traceback", "")
    verdict = await deliver_verdict(stage.history, str(manager.file), ttl=4, log=log)
    if noise > 100:
        wrong.append(f"{noise} log entries of one plugin that raises: it is never turned off")
    if stopped > 10:
        wrong.append(f"the Manager took {stopped:.0f} s to stop")
    if wrong:
        raise Broken("; ".join(wrong))
    return f"{verdict.results} results all the same; /live {pings.worst():.0f} ms at most"


async def _stop(manager: Manager) -> float:
    began = time.monotonic()
    await manager.stop(30)
    return time.monotonic() - began


@row("43", "a worker's access is revoked while it waits for work")
async def revoked(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    worker = FakeWorker(
        url=manager.url, history=stage.history, name="alfa", chance=stage.chance, beat=30
    )
    stage.leaving.callback(worker.http.close)
    await worker.join()
    async with manager.http() as http:
        waiting = asyncio.create_task(worker.claim(30))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await http.request("DELETE", f"/api/v3/worker-mgt/workers/{worker.id}")
        try:
            await asyncio.wait_for(waiting, 5)
        except TimeoutError:
            raise Broken("a deleted worker waits on for more than 5 s") from None
        took = time.monotonic() - began
        answer = await worker.http.request("POST", "/api/v3/worker/task")
    if answer.status not in (401, 403):
        raise Broken(f"a deleted worker is answered with {answer.status}")
    return f"closed after {took:.1f} s, then {answer.status}; people's tokens come with accounts"
