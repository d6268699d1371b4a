"""A Worker changes its secret, and gets in whatever stops in the middle of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.worker import rotation
from flamenco_core.worker.credentials import Credentials, CredentialsFile

WORKER, OLD, NEXT = "worker-9", "o" * 64, "n" * 64
LONG_AGO = 1_000_000


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "LOOK", 0.01)
    monkeypatch.setattr(rotation, "SOON", 0.01)


@pytest.fixture
def file(settings: Any, manager: FakeManager) -> CredentialsFile:
    """The credentials of a Worker that its Manager knows; they are old."""
    Path(settings.home).mkdir(parents=True, exist_ok=True)
    file = CredentialsFile(Path(settings.home))
    file.save(Credentials(WORKER, OLD, changed_at=LONG_AGO))
    manager.known.add(WORKER)
    manager.secrets[WORKER] = OLD
    return file


def half_done(file: CredentialsFile) -> None:
    file.save(Credentials(WORKER, OLD, NEXT, changed_at=LONG_AGO))


async def test_an_old_secret_is_changed_and_work_goes_on(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    async with start():
        await manager.until(lambda: manager.secrets[WORKER] != OLD)
        # A Worker that is stopped between the answer and the file is another test's subject.
        with anyio.fail_after(10):
            while OLD in file.path.read_text():
                await anyio.sleep(0.01)
        manager.give(a_task())
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))
    saved = file.load()
    assert saved is not None
    assert (saved.secret, saved.next_secret) == (manager.secrets[WORKER], "")
    assert len(saved.secret) == 64
    assert saved.changed_at > LONG_AGO
    # What it says last, it says with the new one.
    manager.former_secrets.clear()
    assert manager.calls[-1][0] == "sign_off"
    assert manager._user(manager.calls[-1][1]) == WORKER
    assert manager.count("rotate_secret") == 1
    assert manager.count("register") == 0


async def test_one_that_is_young_or_never_to_change_stays(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    async with start(rotate_secret_after=0):
        await manager.until(lambda: manager.count("schedule"))
    file.save(Credentials(WORKER, OLD))  # as old as its file, which is of this moment
    async with start():
        await manager.until(lambda: manager.count("schedule") == 2)
    assert manager.count("rotate_secret") == 0


async def test_it_is_changed_when_people_ask(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    manager.asks_to_rotate = True
    async with start(rotate_secret_after=0):
        await manager.until(lambda: manager.secrets[WORKER] != OLD)
    assert manager.count("rotate_secret") == 1


async def test_the_next_one_is_stored_before_the_manager_hears_of_it(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    seen = []

    class Looking(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("rotate-secret"):
                seen.append(file.load())
            return await manager.handle_async_request(request)

    async with start(transport=Looking()):
        await manager.until(lambda: manager.secrets[WORKER] != OLD)
    (stored,) = seen
    assert stored == Credentials(WORKER, OLD, manager.secrets[WORKER])


async def test_a_lost_answer_is_asked_for_again(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    lost = []

    class Losing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await manager.handle_async_request(request)
            if request.url.path.endswith("rotate-secret") and len(lost) < 2:
                lost.append(answer)
                raise httpx.ReadError("cut", request=request)
            return answer

    async with start(transport=Losing()):
        await manager.until(lambda: manager.count("rotate_secret") == 3)
        with anyio.fail_after(10):
            while OLD in file.path.read_text():
                await anyio.sleep(0.01)
    assert file.load() == Credentials(WORKER, manager.secrets[WORKER])


@pytest.mark.parametrize("overlaps", [True, False])
async def test_killed_after_the_manager_took_it_a_worker_gets_in(
    start: Any, manager: FakeManager, file: CredentialsFile, overlaps: bool
) -> None:
    half_done(file)
    manager.secrets[WORKER] = NEXT
    if overlaps:
        manager.former_secrets[WORKER] = OLD
    async with start():
        await manager.until(lambda: manager.count("schedule"))
    assert file.load() == Credentials(WORKER, NEXT)
    assert manager.count("register") == 0


async def test_killed_before_the_manager_heard_of_it_a_worker_gets_in(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    half_done(file)
    async with start():
        await manager.until(lambda: manager.count("schedule"))
    assert file.load() == Credentials(WORKER, NEXT)
    assert manager.secrets[WORKER] == NEXT


async def test_with_a_manager_that_is_away_the_change_waits(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    half_done(file)
    manager.trouble("rotate_secret", 503, 502, 500)
    async with start():
        await manager.until(lambda: manager.count("schedule"))
    assert file.load() == Credentials(WORKER, NEXT)


@pytest.mark.parametrize("status", [404, 405, 409])
async def test_a_manager_that_knows_nothing_of_it_gets_the_old_one(
    start: Any, manager: FakeManager, file: CredentialsFile, status: int
) -> None:
    manager.trouble("rotate_secret", *[status] * 3)
    async with start():
        await manager.until(lambda: manager.count("rotate_secret") == 1)
        manager.give(a_task())
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))
    # Not asked again and again.
    assert manager.count("rotate_secret") == 1
    assert file.load() == Credentials(WORKER, OLD)


async def test_a_page_of_something_else_is_not_taken_for_a_yes(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    class Portal(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("rotate-secret"):
                manager.calls.append(("portal", request.headers))
                return httpx.Response(200, text="<html>welcome</html>")
            return await manager.handle_async_request(request)

    async with start(transport=Portal()):
        await manager.until(lambda: manager.count("portal"))
        await manager.until(lambda: manager.count("schedule"))
    assert file.load() == Credentials(WORKER, OLD)


async def test_known_with_neither_it_registers_and_both_are_kept_aside(
    start: Any, manager: FakeManager, file: CredentialsFile
) -> None:
    half_done(file)
    manager.secrets[WORKER] = "something else"
    async with start():
        await manager.until(lambda: manager.count("schedule"))
    assert manager.count("register") == 1
    aside = file.path.with_name(f"{file.path.name}.refused").read_text()
    assert OLD in aside
    assert NEXT in aside


async def test_a_full_disk_changes_nothing(
    start: Any, manager: FakeManager, file: CredentialsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full(*_: object) -> None:
        tried.append(1)
        raise OSError(28, "no space left on device")

    async with start(rotate_secret_after=0):
        await manager.until(lambda: manager.count("schedule"))
        monkeypatch.setattr(CredentialsFile, "save", full)
        manager.asks_to_rotate = True
        manager.give(a_task())
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))
    assert manager.count("rotate_secret") == 0
    assert file.load() == Credentials(WORKER, OLD)


def test_neither_secret_is_shown() -> None:
    assert OLD not in repr(Credentials(WORKER, OLD, NEXT))
    assert NEXT not in repr(Credentials(WORKER, OLD, NEXT))
