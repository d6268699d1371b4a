"""F6, row 27: stale messages; F7, row 26: repeated ones; row 25: workers that look alike."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from faults.audit import deliver_verdict
from faults.client import Person
from faults.history import History
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.workers import SECRET, FakeWorker, Run

STALE = 10_000
LINES = 16
"""Connections at the same time."""
TABLES = ("jobs", "tasks", "attempts", "failures", "blocks", "notes", "lanes")


def contents(file: Path, *, but: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of the tables that matter, without columns that are about time."""
    from flamenco_core.manager.store.sqlite_library import dbapi

    connection = dbapi().connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        found = {}
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            wanted = ", ".join(c for c in columns if c not in but) or "1"
            found[table] = connection.execute(f"SELECT {wanted} FROM {table}").fetchall()
        return found
    finally:
        connection.close()


async def at_once(work: Iterable[Any], lines: int = LINES) -> None:
    """Await coroutines, so many at a time."""
    waiting = iter(work)

    async def one() -> None:
        for coroutine in waiting:
            await coroutine

    async with asyncio.TaskGroup() as group:
        for _ in range(lines):
            group.create_task(one())


@row(
    "F6",
    "row 27: 10,000 stale updates: old epochs, others' tasks, deleted and unknown tasks",
    limit=120,
)
async def stale_updates(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http() as http:
        alfa, beta = await _pair(stage, manager)
        person = Person(http, stage.history)
        targets = await _targets(person, alfa, beta)
        before = contents(manager.file)
        codes: Counter[int] = Counter()

        async def send(worker: FakeWorker, task: str, epoch: int | None) -> None:
            body: dict[str, Any] = {"seq": stage.chance.randrange(1, 1000)}
            body["taskStatus"] = stage.chance.choice(["active", "completed", "failed"])
            body |= {"epoch": epoch} if epoch is not None else {}
            body |= {"log": "stale\n"} if stage.chance.random() < 0.3 else {}
            run = Run(task, "", epoch or 0)
            answer = await worker.send(run, body)
            codes[answer.status if answer else 0] += 1

        count = round(STALE * stage.scale)
        await at_once(send(*stage.chance.choice(targets)) for _ in range(count))
        after = contents(manager.file)
    wrong = {code: n for code, n in codes.items() if code not in (403, 404, 409)}
    if wrong:
        raise Broken(f"stale updates were answered with {wrong}")
    changed = [table for table in TABLES if before[table] != after[table]]
    if changed:
        raise Broken(f"stale updates have changed {changed}")
    logs = [p for p in manager.data.rglob("task-*.txt") if "stale" in p.read_text()]
    if logs:
        raise Broken(f"stale updates have written to {len(logs)} logs")
    await manager.stop()
    await deliver_verdict(stage.history, str(manager.file), ttl=99, drained=False)
    told = ", ".join(f"{n} x {code}" for code, n in sorted(codes.items()))
    return f"{count} of {count} refused ({told}), 0 writes"


async def _pair(stage: Stage, manager: Manager) -> tuple[FakeWorker, FakeWorker]:
    workers = []
    for name in ("alfa", "beta"):
        worker = FakeWorker(
            url=manager.url, history=stage.history, name=name, chance=stage.chance, beat=60
        )
        stage.leaving.callback(worker.http.close)
        workers.append(await worker.join())
    return workers[0], workers[1]


async def _targets(
    person: Person, alfa: FakeWorker, beta: FakeWorker
) -> list[tuple[FakeWorker, str, int | None]]:
    """Make runs that are over in each way; return who would speak of them in vain."""
    job = await person.submit(6)
    targets: list[tuple[FakeWorker, str, int | None]] = []
    # Taken back by a person, and given to another one.
    first = await alfa.claim(0)
    assert first
    await alfa.report(first, "completed")
    await person.requeue_task(first.task)
    second = await beta.claim(0)
    assert second
    targets += [(alfa, first.task, first.epoch), (alfa, first.task, None)]
    # Somebody else's, by one who guesses the epoch.
    targets += [(alfa, second.task, second.epoch), (alfa, second.task, second.epoch + 1)]
    # Of a job that was canceled while it ran.
    other = await person.submit(2, priority=90)
    third = await alfa.claim(0)
    assert third
    await person.cancel(other)
    targets += [(alfa, third.task, third.epoch), (alfa, third.task, third.epoch - 1)]
    # Taken back by a person, and given to the same worker again: only the epoch tells.
    again = await person.submit(1, priority=95)
    fourth = await alfa.claim(0)
    assert fourth
    assert fourth.job == again
    await person.requeue_task(fourth.task)
    fifth = await alfa.claim(0)
    assert fifth
    assert (fifth.task, fifth.epoch > fourth.epoch) == (fourth.task, True)
    targets += [(alfa, fourth.task, fourth.epoch)]
    # Deleted, and never there.
    gone = await person.submit(1)
    task = (await person.tasks(gone))[0]["id"]
    await person.delete(gone)
    while await person.status(gone):
        await asyncio.sleep(0.02)
    targets += [(beta, task, 1), (beta, str(uuid.UUID(int=1)), 1)]
    assert job
    return targets


# -- the same again ----------------------------------------------------------------------------

TASKS = 50
MESSAGES = 100
WINDOW = 8
"""How far a message may come out of turn."""
# Of times, and of ids that each Manager makes itself.
OWN = (
    *("id", "uuid", "job_id", "task_id", "lane_id", "worker_id", "text", "at"),
    *("created_at", "updated_at", "touched_at", "started_at", "ended_at", "seen_at"),
)


@row("F7", "row 26: 5,000 messages, each three times, shuffled in a window", limit=150)
async def replay(stage: Stage) -> str:
    count = TASKS * MESSAGES
    messages = _stream(stage)
    clean = await _heard(stage, "clean", messages)
    # A window is so many messages of one task; what counts is who is overtaken there.
    late = [
        (message[1]["seq"] + stage.chance.random() * WINDOW, stage.chance.random(), message)
        for message in messages * 3
    ]
    noisy = await _heard(stage, "noisy", [m for *_, m in sorted(late, key=lambda one: one[:2])])
    for what, left in clean.items():
        if left != noisy[what]:
            raise Broken(f"{what} differ after {3 * count} messages")
    return f"{count} messages x 3: state and {TASKS} logs ({clean['bytes']} bytes) are identical"


def _stream(stage: Stage) -> list[tuple[int, dict[str, Any]]]:
    """Return the messages of all tasks, mixed: (number of the task, body)."""
    bodies: list[list[dict[str, Any]]] = []
    for task in range(TASKS):
        offset, mine = 0, []
        for seq in range(1, MESSAGES + 1):
            text = f"{task}/{seq} \u00e4 {'x' * stage.chance.randrange(60)}\n"
            body = {"seq": seq, "log": text, "log_offset": offset, "activity": f"step {seq}"}
            offset += len(text.encode())
            if seq == 1:
                body["taskStatus"] = "active"
            mine.append(body)
        # The result comes last and alone, as a Worker sends it: after all is delivered.
        mine[-1]["taskStatus"] = stage.chance.choice(["completed"] * 3 + ["failed"])
        bodies.append(mine)
    order = [task for task in range(TASKS) for _ in range(MESSAGES)]
    stage.chance.shuffle(order)
    places = [iter(mine) for mine in bodies]
    return [(task, next(places[task])) for task in order]


async def _heard(
    stage: Stage, name: str, messages: list[tuple[int, dict[str, Any]]]
) -> dict[str, Any]:
    manager = Manager(stage, name)
    await manager.start()
    history = History(stage.folder / f"{name}.jsonl")
    async with manager.http() as http:
        job = await Person(http, history).submit(TASKS)
        runs = []
        for number in range(TASKS):
            worker = FakeWorker(
                url=manager.url,
                history=history,
                name=f"w{number}",
                chance=stage.chance,
                beat=60,
            )
            await worker.join()
            run = await worker.claim(0)
            assert run
            runs.append((worker, run))
        await _send(runs, messages)
        await manager.stop()
        for worker, _ in runs:
            worker.http.close()
    await deliver_verdict(history, str(manager.file), ttl=999, drained=False)
    return _left(manager, job)


async def _send(
    runs: list[tuple[FakeWorker, Run]], messages: list[tuple[int, dict[str, Any]]]
) -> None:
    """Send each task's messages in their order, many tasks at the same time."""
    by_task: dict[int, list[dict[str, Any]]] = {n: [] for n in range(len(runs))}
    for task, body in messages:
        by_task[task].append(body)

    async def one(number: int) -> None:
        worker, run = runs[number]
        for body in by_task[number]:
            answer = await worker.send(run, {**body, "epoch": run.epoch})
            if answer is None or answer.status not in (200, 204):
                raise Broken(f"message {body['seq']} was answered with {answer and answer.status}")

    async with asyncio.TaskGroup() as group:
        for number in range(len(runs)):
            group.create_task(one(number))


def _left(manager: Manager, job: str) -> dict[str, Any]:
    tables = contents(manager.file, but=OWN)
    logs = sorted(manager.data.rglob("task-*.txt"))
    texts = sorted(path.read_bytes() for path in logs)
    left: dict[str, Any] = {name: sorted(map(repr, rows)) for name, rows in tables.items()}
    left["logs"] = hashlib.sha256(b"".join(texts)).hexdigest()
    left["bytes"] = sum(map(len, texts))
    assert job
    return left


@row("25", "the same name registered 100 times at once; two processes with one worker's secret")
async def duplicates(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    workers = [
        FakeWorker(
            url=manager.url, history=stage.history, name="same", chance=stage.chance, beat=60
        )
        for _ in range(100)
    ]
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.join())
    ids = {worker.id for worker in workers}
    if len(ids) != 100:
        raise Broken(f"100 registrations made {len(ids)} ids")
    async with manager.http() as http:
        await Person(http, stage.history).submit(4)
        original = workers[0]
        run = await original.claim(0)
        assert run
        # The machine was cloned, with its configuration; now the copy starts.
        clone = attrs.evolve(original, id=original.id)
        clone.http.auth = (original.id, SECRET)
        await clone.sign_on()
        fenced = await original.report(run, "active")
        other = await clone.claim(0)
        assert other
        again = await original.send(run, {"taskStatus": "completed", "epoch": run.epoch, "seq": 9})
    for worker in [*workers, clone]:
        worker.http.close()
    await manager.stop()
    await deliver_verdict(stage.history, str(manager.file), ttl=999, drained=False)
    code = again.status if again else 0
    if (other.task, code) == (run.task, 204):
        raise Broken("the older of two processes is still heard after the newer got the task")
    assert fenced
    return f"100 ids; of two live sessions the older one's result is answered with {code}"
