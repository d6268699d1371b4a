"""F12, row 37: job types that mean harm; row 38: scripts that are edited meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from faults.http import Answer, Http
from faults.load import busy_words, slowness
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.rows.slow import Pings

WITHIN = 6.0
HOSTILE = {
    "endless-loop": "while (true) {}",
    "async-loop": "(async () => { while (true) await null; })();",
    "large-array": "job.settings.x = new Array(3e8).fill(1.5).map(String);",
    "typed-arrays": "const a = []; while (true) a.push(new Uint8Array(1 << 26).fill(1));",
    "wasm-memory": "const a = []; while (true) a.push(new WebAssembly.Memory({initial: 1600}));",
    "large-result": "job.settings.x = 'x'.repeat(5e8);",
    "regex": "/^(a+)+$/.test('a'.repeat(40) + 'b');",
    "recursion": "const f = () => f(); f();",
    "to-json": "Object.prototype.toJSON = () => { while (true) {} };",
    "prototypes": "Object.prototype.toJSON = () => 1; Array.prototype.includes = null;",
    "many-tasks": "for (let i = 0; i < 1e7; i++) job.addTask(author.Task('a' + i, 'misc'));",
    "many-frames": "frameChunker('1-9999999999', 1);",
}


def script(body: str, label: str = "T") -> str:
    return f'const JOB_TYPE = {{label: "{label}"}};\nfunction compileJob(job) {{\n{body}\n}}\n'


GOOD = script("job.addTask(author.Task('a', 'misc'));")


def write_scripts(manager: Manager, scripts: dict[str, str]) -> Path:
    folder = manager.data / "scripts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in scripts.items():
        (folder / f"{name}.js").write_text(text)
    return folder


async def submit(http: Http, kind: str, **more: Any) -> Answer:
    body = {"name": "x", "type": kind, "submitter_platform": "linux", "settings": {}, **more}
    return await http.request("POST", "/api/v3/jobs", json=body)


@row(
    "F12",
    "row 37: 12 hostile job scripts against a running Manager",
    needs="javascript",
    alone=True,
    limit=120,
)
async def hostile(stage: Stage) -> str:
    manager = Manager(stage)
    sources = {name: script(body) for name, body in HOSTILE.items()}
    write_scripts(manager, {**sources, "good": GOOD})
    await manager.start()
    async with manager.http(timeout=40) as http:
        # Threads and their stacks come with the first run; they are no attack's doing.
        for _ in range(3):
            answer = await submit(http, "good")
            if answer.status != 200:
                raise Broken(f"an ordinary script: {answer.status} {answer.text}")
        await asyncio.gather(*(submit(http, "good") for _ in range(4)))
        quiet = Pings(manager, 0.01)
        async with quiet.going_on():
            await asyncio.sleep(2)
        slow, before = slowness(), manager.memory()
        pings, most = Pings(manager, 0.01), before
        wrong, slowest = [], 0.0
        async with pings.going_on():
            for name in HOSTILE:
                began = time.monotonic()
                answer = await submit(http, name)
                took = time.monotonic() - began
                most, slowest = max(most, manager.memory()), max(slowest, took)
                if answer.status not in (400, 422) or name not in answer.text:
                    wrong.append(f"{name}: {answer.status} {answer.text[:80]}")
                if took > WITHIN * slow:
                    wrong.append(f"{name}: {took:.1f} s")
        slow = max(slow, slowness())
        await until(lambda: not _children(manager), 3, "the end of the compilers")
    figure = (
        f"{len(HOSTILE) - len(wrong)}/{len(HOSTILE)} contained, slowest {slowest:.1f} s,"
        f" RSS +{most - before:.1f} MB, longest stall of /live {pings.worst():.0f} ms"
        f" (p99.9 {pings.worst(0.999):.0f} ms; without attacks {quiet.worst():.0f} ms)"
        f"{busy_words(slow)}"
    )
    if wrong:
        raise Broken(f"{figure}: {'; '.join(wrong)}")
    stalled = pings.worst() > 50 * slow + quiet.worst() or pings.failures
    if most - before > 20 or stalled:
        raise Broken(figure)
    return figure


def _children(manager: Manager) -> list[str]:
    """Return the Manager's child processes that run scripts, but for one started ahead."""
    found = []
    for task in Path(f"/proc/{manager.pid}/task").iterdir():
        found += (task / "children").read_text().split()
    return [pid for pid in found if _cpu_of(pid) > 1.5]


def _cpu_of(pid: str) -> float:
    """Return the processor time of a process (s); one that waits for work uses little."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


@row("38", "scripts are edited, broken and removed while jobs are submitted", needs="javascript")
async def edited(stage: Stage) -> str:
    manager = Manager(stage)
    folder = write_scripts(manager, {"mine": GOOD, "other": GOOD})
    await manager.start()
    async with manager.http(timeout=30) as http:
        answer = await http.get("/api/v3/jobs/type/mine")
        if answer.status != 200:
            raise Broken(f"the job type is not there: {answer.status}")
        etag = answer.json()["etag"]
        fresh = await submit(http, "mine", type_etag=etag)
        settings = ', settings: [{key: "n", type: "int32", default: 1}]'
        changed = GOOD.replace('label: "T"', f'label: "T2"{settings}')
        _replace(folder / "mine.js", changed)
        old = await submit(http, "mine", type_etag=etag)
        _replace(folder / "mine.js", "const JOB_TYPE = {label: 'T'; // broken\n")
        broken = await submit(http, "mine")
        types = (await http.get("/api/v3/jobs/types")).json()["job_types"]
        other = await submit(http, "other")
        (folder / "mine.js").unlink()
        removed = await submit(http, "mine")
    names = {kind["name"] for kind in types}
    seen = {
        "fresh": fresh.status,
        "old etag": old.status,
        "other": other.status,
        "broken": broken.status,
        "removed": removed.status,
    }
    right = {"fresh": 200, "old etag": 412, "other": 200, "broken": 400, "removed": 400}
    wrong = {k: v for k, v in seen.items() if v != right[k]}
    if wrong or "other" not in names or "mine" in names:
        raise Broken(f"{wrong}; offered are {sorted(names)}: {broken.text[:100]}")
    return f"{seen}; a broken script hides only itself"


def _replace(path: Path, text: str) -> None:
    """Change a file as an editor does that writes a new one and renames it."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(path)
