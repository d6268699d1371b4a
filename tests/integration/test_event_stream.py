"""Server-sent events over a real connection."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
from PIL import Image

from flamenco_core.domain.events import TaskLogged
from flamenco_core.manager import subscription
from flamenco_core.manager.images import Upload


@attrs.define
class Stream:
    """What a browser's EventSource does."""

    lines: AsyncIterator[str]
    last_id: str = ""
    retry: str = ""

    async def next(self) -> tuple[str, Any]:
        """Return the next event's name and data."""
        name, data = "message", ""
        async with asyncio.timeout(10):
            async for line in self.lines:
                key, _, value = line.partition(": ")
                if key == "id":
                    self.last_id = value
                elif key == "retry":
                    self.retry = value
                elif key == "event":
                    name = value
                elif key == "data":
                    data = value
                elif line == "" and data:
                    return name, json.loads(data)
        raise EOFError

    async def welcome(self) -> None:
        async with asyncio.timeout(10):
            async for line in self.lines:
                if line.startswith("retry: "):
                    self.retry = line
                elif line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                elif line == ": welcome":
                    return


@asynccontextmanager
async def following(url: str, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("GET", f"{url}/api/v3/events{query}", headers=sent) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        stream = Stream(answer.aiter_lines())
        await stream.welcome()
        yield stream


async def submit(url: str, sleeps: int = 1) -> str:
    body = {
        "name": "j",
        "type": "echo-sleep-test",
        "submitter_platform": "linux",
        "settings": {"message": "x", "sleep_repeats": sleeps, "sleep_duration_seconds": 1},
    }
    async with httpx.AsyncClient() as client:
        return (await client.post(f"{url}/api/v3/jobs", json=body)).json()["id"]


async def cancel(url: str, job: str) -> None:
    body = {"status": "cancel-requested", "reason": "x"}
    async with httpx.AsyncClient() as client:
        await client.post(f"{url}/api/v3/jobs/{job}/setstatus", json=body)


async def test_events_come_in_order_with_growing_numbers(serve) -> None:
    with serve() as served:
        async with following(served.url) as one, following(served.url) as other:
            assert one.retry
            job = await submit(served.url)
            await cancel(served.url, job)
            heard, numbers = [], []
            for _ in range(3):
                heard.append(await one.next())
                numbers.append(int(one.last_id))
            assert [name for name, _ in heard] == ["job"] * 3
            statuses = [data["status"] for _, data in heard]
            assert statuses == ["queued", "cancel-requested", "canceled"]
            assert heard[1][1]["previous_status"] == "queued"
            assert heard[1][1]["refresh_tasks"] is True
            assert numbers == sorted(set(numbers))
            assert [await other.next() for _ in range(3)] == heard


async def test_who_was_away_hears_what_came_meanwhile(serve) -> None:
    with serve() as served:
        async with following(served.url) as stream:
            first = await submit(served.url)
            assert (await stream.next())[1]["id"] == first
        second = await submit(served.url)
        async with following(served.url, Last_Event_ID=stream.last_id) as again:
            name, data = await again.next()
            assert (name, data["id"]) == ("job", second)


@pytest.mark.parametrize("last", ["0", "5", "99999999999999999"])
async def test_who_was_away_too_long_starts_again(serve, last: str) -> None:
    with serve() as served:
        await submit(served.url)
        async with following(served.url, Last_Event_ID=last) as stream:
            assert await stream.next() == ("reset", {})
            job = await submit(served.url)
            assert (await stream.next())[1]["id"] == job


@pytest.mark.parametrize("last", ["", "x", "-1", "\xb2", "9" * 5000])
async def test_a_number_that_is_none_is_ignored(serve, last: str) -> None:
    with serve() as served:
        async with httpx.AsyncClient() as client:
            headers = {"Last-Event-ID": last.encode("latin-1")}
            url = f"{served.url}/api/v3/events"
            async with client.stream("GET", url, headers=headers) as answer:
                assert answer.status_code == 200


async def test_numbers_go_on_after_a_restart(serve) -> None:
    with serve() as served:
        async with following(served.url) as stream:
            await submit(served.url)
            await stream.next()
    with serve() as served:
        async with following(served.url, Last_Event_ID=stream.last_id) as again:
            assert (await again.next())[0] == "reset"
            assert int(again.last_id) > int(stream.last_id)


async def test_only_what_was_asked_for_is_told(serve) -> None:
    with serve() as served:
        job, other = await submit(served.url), await submit(served.url)
        queries = ("?topics=workers", f"?job={job}", "?topics=logs&task=t1", f"?job={other}")
        async with (
            following(served.url, queries[0]) as workers,
            following(served.url, queries[1]) as one_job,
            following(served.url, queries[2]) as log,
            following(served.url, queries[3]) as other_job,
        ):
            await cancel(served.url, job)
            served.on_loop(lambda: served.app.state.manager.tell_log(job, "t2", "no"))
            served.on_loop(lambda: served.app.state.manager.tell_log(job, "t1", "yes"))
            body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": []}
            async with httpx.AsyncClient() as client:
                await client.post(f"{served.url}/api/v3/worker/register-worker", json=body)
            assert (await workers.next())[0] == "worker"
            assert (await one_job.next())[1]["id"] == job
            assert await log.next() == ("log", {"task_id": "t1", "log": "yes"})
            # Workers concern no job, so who follows one job hears of them.
            assert (await other_job.next())[0] == "worker"


async def first_task(url: str, job: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{url}/api/v3/jobs/{job}/tasks")).json()["tasks"][0]["id"]


async def test_a_new_image_is_told_when_it_can_be_fetched(serve) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), "red").save(file, "PNG")
    with serve() as served:
        job = await submit(served.url)
        task = await first_task(served.url, job)
        upload = Upload(job=job, task=task, kind="PNG", image=file.getvalue(), frame=3)
        async with following(served.url, "?topics=images") as stream:
            served.on_loop(lambda: served.app.state.manager.last_rendered.slots.put(upload))
            name, body = await stream.next()
            assert (name, body["job_id"]) == ("last-rendered", job)
            where = body["thumbnail"]
            assert (where["task_id"], where["frame"]) == (task, 3)
            async with httpx.AsyncClient() as client:
                for suffix in where["suffixes"]:
                    answer = await client.get(f"{served.url}{where['base']}/{suffix}")
                    assert answer.status_code == 200
                    assert answer.content.startswith(b"\xff\xd8\xff")
                tag = {"If-None-Match": answer.headers["etag"]}
                assert (await client.get(answer.url, headers=tag)).status_code == 304


async def test_an_unknown_topic_is_an_error(serve) -> None:
    with serve() as served:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{served.url}/api/v3/events?topics=jobs,weather")
    assert answer.status_code == 400
    assert "weather" in answer.json()["message"]


def unread(url: str) -> socket.socket:
    """Follow events and read none of them."""
    host, port = url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)))
    line.sendall(b"GET /api/v3/events HTTP/1.1\r\nHost: x\r\n\r\n")
    return line


async def test_a_slow_client_holds_up_nobody_and_starts_again(serve, monkeypatch) -> None:
    monkeypatch.setattr(subscription, "BEHIND", 10)
    with serve() as served:
        manager = served.app.state.manager
        slow = unread(served.url)
        try:
            async with following(served.url, "?topics=jobs") as quick:
                event = TaskLogged(task_id="t", job_id="j", text="x" * 200_000)
                for _ in range(60):
                    served.on_loop(lambda: manager.bus.publish([event]))
                job = await submit(served.url)
                while (heard := await quick.next())[0] == "reset":
                    pass
                assert heard[1]["id"] == job
            slow.settimeout(10)
            text = b""
            while b"event: reset" not in text:
                text = text[-100:] + slow.recv(1 << 20)
        finally:
            slow.close()


async def test_who_hangs_up_is_forgotten(serve) -> None:
    with serve() as served:
        subscriptions = served.app.state.manager.bus._subscriptions
        async with following(served.url):
            assert len(subscriptions) == 1
        async with asyncio.timeout(5):
            while subscriptions:
                await asyncio.sleep(0.01)


async def test_a_stream_ends_when_the_manager_stops_and_says_so(serve) -> None:
    with serve() as served:
        async with following(served.url) as stream:
            served.server.should_exit = True
            assert await stream.next() == ("lifecycle", {"type": "manager-shutdown"})
            with pytest.raises(EOFError):
                await stream.next()
