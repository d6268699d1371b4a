"""Scripts in a Manager that runs: edited while people submit, and meant to do harm."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from flamenco_core.domain.events import JobTypesChanged
from flamenco_core.manager.settings import load_manager_settings
from flamenco_core.wire.events import event_body, event_name

OUTDATED = "rejecting job because its settings are outdated, refresh the job type"


def script(*settings: str, body: str = "job.addTask(author.Task('a', 'misc'));") -> str:
    return (
        f'const JOB_TYPE = {{label: "Test", settings: [{", ".join(settings)}]}};\n'
        f"function compileJob(job) {{\n{body}\n}}\n"
    )


CHUNKS = '{key: "chunk_size", type: "int32", default: 1}'
FRAMES = '{key: "frames", type: "string"}'


class Studio:
    """A running Manager, and the folder that its scripts are in."""

    def __init__(self, running: Any, folder: Path) -> None:
        self.running, self.folder = running, folder

    def write(self, name: str, text: str) -> None:
        """Change a file as an editor does that writes a new one and renames it."""
        new = self.folder / "new.tmp"
        new.write_text(text)
        new.chmod(0o644)
        new.replace(self.folder / name)

    async def submit(self, kind: str, etag: str | None = None) -> tuple[int, str]:
        body = {"name": "x", "type": kind, "submitter_platform": "linux", "type_etag": etag}
        body = {key: value for key, value in body.items() if value is not None}
        answer = await self.running.client.post("/api/v3/jobs", json=body)
        return answer.status_code, answer.json().get("message", "")

    async def get(self, path: str) -> Any:
        return (await self.running.client.get(f"/api/v3/jobs/{path}")).json()

    async def names(self) -> list[str]:
        return [kind["name"] for kind in (await self.get("types"))["job_types"]]

    async def names_now(self) -> list[str]:
        """Look at the folders first, as the Manager does each second."""
        await self.running.manager.job_type_watch.look()
        return await self.names()

    async def etag(self, name: str) -> str:
        return str((await self.get(f"type/{name}"))["etag"])


@pytest.fixture
def studio(manager: Any, folder: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def start(**limits: Any) -> AsyncIterator[Studio]:
        sections = {"javascript": {"scripts": [str(folder)], **limits}}
        settings = {"plugins": sections, "required": ("javascript",)}
        async with manager(settings=settings, discover=True) as running:
            yield Studio(running, folder)

    return start


async def changes(subscription: Any) -> AsyncIterator[JobTypesChanged]:
    async for numbered in subscription:
        if isinstance(numbered.event, JobTypesChanged):
            yield numbered.event


async def test_the_folder_is_watched_without_anybody_asking(studio: Any) -> None:
    async with studio() as here:
        assert "mine" not in await here.names()
        subscription = here.running.manager.bus.subscribe()
        told = changes(subscription)
        with anyio.fail_after(20):
            here.write("mine.js", script())
            assert (await anext(told)).added == ("mine",)
            here.write("mine.js", script(CHUNKS))
            assert (await anext(told)).changed == ("mine",)
            here.write("mine.js", "const JOB_TYPE = {label: 'Test'};\nlet let = 1;")
            broken = await anext(told)
            assert broken.removed == ("mine",)
            (here.folder / "mine.js").unlink()
            assert (await anext(told)).problems == ()
        assert event_name(broken) == "jobtype"
        (problem,) = event_body(broken)["problems"]
        assert problem["name"] == "mine"
        assert "(mine.js:2:5)" in problem["message"]


async def test_an_edit_counts_at_once_for_who_submits(studio: Any) -> None:
    async with studio() as here:
        here.write("mine.js", script(CHUNKS))
        here.write("other.js", script())
        etag = await here.etag("mine")
        assert (await here.submit("mine", etag))[0] == 200
        here.write("mine.js", script(CHUNKS.replace("1", "2"), FRAMES))
        assert await here.submit("mine", etag) == (
            412,
            f"{OUTDATED}: setting 'frames' was added; 'chunk_size' has another default (1 -> 2)",
        )
        # Who refreshes after that refusal has the new one, whenever the next look is.
        kinds = (await here.get("types"))["job_types"]
        fresh = next(kind["etag"] for kind in kinds if kind["name"] == "mine")
        assert (await here.submit("mine", fresh))[0] == 200
        assert await here.submit("mine", "0" * 40) == (412, OUTDATED)


async def test_a_broken_script_hides_only_itself(studio: Any) -> None:
    async with studio() as here:
        here.write("mine.js", script())
        here.write("other.js", script())
        assert (await here.submit("mine"))[0] == 200
        here.write("mine.js", "const JOB_TYPE = {label: 'Test'\n")
        code, message = await here.submit("mine")
        assert (code, "(mine.js:1:32)" in message) == (400, True), message
        names = await here.names()
        assert "other" in names
        assert "mine" not in names
        (problem,) = (await here.get("types/state"))["problems"]
        assert problem == {"name": "mine", "message": message}
        assert (await here.submit("other"))[0] == 200
        (here.folder / "mine.js").unlink()
        assert (await here.submit("mine"))[0] == 400
        here.write("mine.js", script())
        assert (await here.submit("mine"))[0] == 200


async def test_the_etag_is_over_the_description_and_nothing_else(studio: Any) -> None:
    async with studio() as here:
        here.write("mine.js", script(CHUNKS))
        etag = await here.etag("mine")
        before = sources(await here.get("types/state"))["mine"]
        here.write("mine.js", script(CHUNKS, body="job.addTask(author.Task('b', 'misc'));"))
        assert (await here.submit("mine", etag))[0] == 200
        assert await here.etag("mine") == etag
        await here.running.manager.job_type_watch.look()
        after = sources(await here.get("types/state"))["mine"]
        assert (after["source"], after["etag"]) == ("mine.js", before["etag"])
        assert after["source_hash"] != before["source_hash"]


def sources(state: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {kind["name"]: kind for kind in state["job_types"]}


SLOW = "too slow: it ran for more than 1 seconds"
FAT = "too much memory"
LARGE = "too large"

# What each does in compileJob, and one of the reasons that the artist may read.
HOSTILE: dict[str, tuple[str, tuple[str, ...]]] = {
    "endless-loop": ("while (true) {}", (SLOW,)),
    "async-loop": ("(async () => { while (true) await null; })();", (SLOW,)),
    "large-array": ("job.settings.x = new Array(3e8).fill(1.5);", (SLOW, FAT, LARGE)),
    "typed-arrays": (
        "const a = []; while (true) a.push(new Uint8Array(1 << 26).fill(1));",
        (FAT, SLOW),
    ),
    "wasm-memory": (
        "const a = []; while (true) a.push(new WebAssembly.Memory({initial: 1600}));",
        ("WebAssembly is not defined (wasm-memory.js:",),
    ),
    "large-result": ("job.settings.x = 'x'.repeat(5e8);", (LARGE, FAT)),
    "regex": ("/^(a+)+$/.test('a'.repeat(40) + 'b');", (SLOW,)),
    "recursion": ("const f = () => f(); f();", ("Maximum call stack size exceeded",)),
    "to-json": ("Object.prototype.toJSON = () => { while (true) {} };", (SLOW,)),
    "prototypes": (
        "Object.prototype.toJSON = () => 1; Array.prototype.includes = null;",
        ("prototypes.js: this is no job",),
    ),
    "many-tasks": (
        "for (let i = 0; i < 1e7; i++) job.addTask(author.Task('a' + i, 'misc'));",
        ("it makes more than 100000 tasks", SLOW),
    ),
    "many-frames": ("frameChunker('1-9999999999', 1);", ("more than 1000000 frames",)),
}
PATIENCE = 6.0
"""Seconds within which each must be refused; generous for one second of running."""


async def test_twelve_hostile_scripts_are_refused_with_a_reason(studio: Any) -> None:
    assert len(HOSTILE) == 12
    late: list[float] = []
    async with studio(seconds=1) as here:
        here.write("good.js", script())
        for name, (body, _) in HOSTILE.items():
            here.write(f"{name}.js", script(body=body))
        await here.names()
        async with anyio.create_task_group() as group:
            group.start_soon(keep_asking, here, late)
            for name, (_, reasons) in HOSTILE.items():
                began = time.perf_counter()
                code, message = await here.submit(name)
                assert time.perf_counter() - began < PATIENCE, name
                assert code == 400, (name, message)
                assert name in message, message
                assert any(reason in message for reason in reasons), (name, message)
            group.cancel_scope.cancel()
        assert (await here.submit("good"))[0] == 200
        assert len((await here.running.client.get("/api/v3/jobs")).json()["jobs"]) == 1
    # Others are served all the time; the limit is for machines that do other things as well.
    assert max(late) < 1


async def keep_asking(here: Studio, late: list[float]) -> None:
    while True:
        began = time.perf_counter()
        assert (await here.running.client.get("/api/v3/version")).status_code == 200
        late.append(time.perf_counter() - began)
        await anyio.sleep(0.01)


@pytest.mark.parametrize("top", ["while (true) {}", "const a = []; while (true) a.push({a});"])
async def test_a_script_that_does_harm_when_it_is_read_hides_only_itself(
    studio: Any, top: str
) -> None:
    async with studio(seconds=0.5) as here:
        here.write("good.js", script())
        here.write("bad.js", f"{script()}\n{top}")
        assert "good" in await here.names()
        assert "bad" not in await here.names()
        code, message = await here.submit("bad")
        assert (code, "bad.js: too" in message) == (400, True)
        assert (await here.submit("good"))[0] == 200


async def test_other_folders_and_limits_count_at_once(manager: Any, folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir(mode=0o755)
    file = folder.with_name("flamenco-manager.yaml")
    file.write_text(
        f"shared_storage_path: {folder.parent}\nplugins: {{javascript: {{tasks: 1}}}}\n"
    )
    many = "for (let n = 0; n < 3; n++) job.addTask(author.Task('a' + n, 'misc'));"
    loaded = load_manager_settings(file, environ={})
    async with manager(settings=loaded, discover=True) as running:
        here = Studio(running, folder)
        here.write("first.js", script())
        Studio(running, elsewhere).write("second.js", script(body=many))
        assert "second" not in await here.names_now()

        async def change(**section: Any) -> Any:
            body = {"plugins": {"javascript": section}}
            return await running.client.put("/api/v3/configuration/file", json=body)

        answer = await change(scripts=[str(folder), str(elsewhere)])
        assert "restart-needed" not in answer.headers
        assert {"first", "second"} <= {*await here.names_now()}
        status, text = await here.submit("second")
        assert status == 400
        assert "it makes more than 1 tasks (plugins: javascript: tasks)" in text
        await change(tasks=5)
        assert (await here.submit("second"))[0] == 200
        await change(scripts=[str(folder)])
        assert "second" not in await here.names_now()


async def test_a_script_that_was_too_slow_is_tried_again_with_more_time(
    manager: Any, folder: Path
) -> None:
    file = folder.with_name("flamenco-manager.yaml")
    file.write_text(
        f"shared_storage_path: {folder.parent}\n"
        f"plugins: {{javascript: {{seconds: 0.1, scripts: ['{folder}']}}}}\n"
    )
    slow = "const end = Date.now() + 300; while (Date.now() < end);\n"
    loaded = load_manager_settings(file, environ={})
    async with manager(settings=loaded, discover=True) as running:
        here = Studio(running, folder)
        here.write("slow.js", slow + script())
        assert "slow" not in await here.names_now()
        body = {"plugins": {"javascript": {"seconds": 5}}}
        await running.client.put("/api/v3/configuration/file", json=body)
        assert "slow" in await here.names_now()


async def test_frames_are_counted_by_the_managers_limit(studio: Any) -> None:
    async with studio() as here:
        body = "for (const c of frameChunker('1-20', 10)) job.addTask(author.Task(c, 'misc'));"
        here.write("mine.js", script(body=body))
        assert (await here.submit("mine"))[0] == 200
        manager = here.running.manager
        limits = attrs.evolve(manager.settings.limits, frames_per_range=19)
        settings = attrs.evolve(manager.settings, limits=limits)
        manager.take_settings(attrs.evolve(manager.loaded, settings=settings))
        status, text = await here.submit("mine")
        assert status == 400
        assert 'invalid range "1-20": more than 19 frames (limits: frames_per_range)' in text
