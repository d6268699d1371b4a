"""What happens on one Manager is heard on the other, by those whom it concerns."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest
from several_steps import (
    SECRET,
    Managers,
    ask,
    cut_lines,
    event,
    hears,
    is_alone,
    join,
    know_each_other,
    sql,
    submit,
    until,
)

from flamenco_core import hookimpl
from flamenco_core.domain.events import (
    JobDeleted,
    JobSubmitted,
    ManagerStarted,
    TaskLogged,
    TaskStatusChanged,
)
from flamenco_core.domain.registration import Admission
from flamenco_core.manager.news import News
from flamenco_core.manager.registration_settings import RegistrationSettings

pytestmark = pytest.mark.postgresql


async def test_clients_of_both_hear_of_what_happens_on_one(managers: Managers) -> None:
    alfa, beta = await managers.two()
    heard = beta.manager.bus.subscribe()
    job = await submit(alfa)
    told = await event(heard, lambda told: isinstance(told, JobSubmitted))
    assert told.job.id == job
    worker = await join(alfa)
    assert (await ask(alfa, worker, "task")).status_code == 200
    told = await event(heard, lambda told: isinstance(told, TaskStatusChanged))
    assert (told.task.status, told.task.worker_id) == ("active", worker)


async def test_a_log_of_any_length_is_heard_whole(managers: Managers) -> None:
    alfa, beta = await managers.two()
    heard = beta.manager.bus.subscribe()
    # Long, and hard to compress: it takes many notifications.
    text = "".join(f"{number * 7919 % 104729:x} ünïcödé\n" for number in range(20_000))
    alfa.manager.tell_log("j", "t", text)
    alfa.manager.tell_log("j", "t", "the end")
    told = await event(heard, lambda told: isinstance(told, TaskLogged))
    assert told.text == text
    told = await event(heard, lambda told: isinstance(told, TaskLogged))
    assert told.text == "the end"


async def test_plugins_hear_of_an_event_on_one_manager_only(managers: Managers) -> None:
    heard = []

    class Listener:
        @hookimpl
        def on_event(self, event, host) -> None:
            if not isinstance(event, ManagerStarted):
                heard.append((host, event))

    alfa, beta = await managers.two(Listener())
    heard.clear()
    other = beta.manager.bus.subscribe()
    await submit(alfa)
    await event(other, lambda told: isinstance(told, JobSubmitted))
    await hears(beta, alfa)
    await until(lambda: len(heard) >= 2)
    jobs = [host for host, told in heard if isinstance(told, JobSubmitted)]
    assert jobs == [alfa.manager]


async def test_a_worker_that_waits_is_woken_by_the_other_manager(managers: Managers) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    waiting = asyncio.create_task(ask(beta, worker, "task", beat=60, Prefer="wait=60"))
    await until(lambda: len(beta.manager.doorbell) == 1)
    started = time.monotonic()
    await submit(alfa)
    assert (await waiting).status_code == 200
    assert time.monotonic() - started < 5


async def test_a_worker_that_is_asked_to_sleep_hears_of_it_wherever_it_waits(
    managers: Managers,
) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    waiting = asyncio.create_task(ask(beta, worker, "task", beat=60, Prefer="wait=60"))
    await until(lambda: len(beta.manager.doorbell) == 1)
    body = {"status": "asleep", "is_lazy": False}
    url = f"/api/v3/worker-mgt/workers/{worker}/setstatus"
    assert (await alfa.client.post(url, json=body)).is_success
    assert (await waiting).status_code == 423


async def test_a_deleted_worker_is_known_to_nobody(managers: Managers) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    heard = beta.manager.bus.subscribe()
    assert (await alfa.client.delete(f"/api/v3/worker-mgt/workers/{worker}")).is_success
    await event(heard, lambda told: type(told).__name__ == "WorkerDeleted")
    assert (await ask(beta, worker, "task")).status_code == 403


async def test_a_job_is_deleted_by_whoever_has_that_duty(managers: Managers) -> None:
    alfa, beta = await managers.two()
    for asked in (alfa, beta):
        job = await submit(asked)
        heard = asked.manager.bus.subscribe()
        assert (await asked.client.delete(f"/api/v3/jobs/{job}")).is_success
        told = await event(heard, lambda told: isinstance(told, JobDeleted))
        while told.job_id != job:  # news of what the other has deleted may come late
            told = await event(heard, lambda told: isinstance(told, JobDeleted))


async def test_alone_nothing_is_sent(managers: Managers) -> None:
    alfa = await managers.start()
    await until(lambda: is_alone(alfa))
    with psycopg.connect(managers.url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("LISTEN flamenco")
        await join(alfa)
        await submit(alfa)
        # Notifications come in order: what was sent before this one has arrived.
        other.execute("NOTIFY flamenco, 'the end'")
        assert [told.payload for told in other.notifies(stop_after=1)] == ["the end"]


async def test_what_strangers_say_on_the_channel_does_no_harm(managers: Managers) -> None:
    alfa, beta = await managers.two()
    for text in ("hello", "1|news|0|1|0|x", "1|news|0|2|0|eNoDAAAAAAE=", "|||||", "a|b|c|d|e|f"):
        sql(managers.url, "SELECT pg_notify('flamenco', %s)", text)
    await hears(alfa, beta)
    await hears(beta, alfa)


async def test_who_goes_is_not_talked_to_any_more(managers: Managers) -> None:
    alfa, beta = await managers.two()
    await managers.stop(beta)
    await until(lambda: is_alone(alfa))


# -- when something may have been missed


async def test_a_line_that_broke_comes_back_and_everybody_looks_again(
    managers: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    heard = beta.manager.bus.subscribe()
    waiting = asyncio.create_task(ask(beta, worker, "task", beat=60, Prefer="wait=60"))
    await until(lambda: len(beta.manager.doorbell) == 1)
    # Behind everybody's back, as if the news of it had been lost.
    sql(managers.url, "UPDATE workers SET status_requested = 'asleep'")
    cut_lines(managers.url)
    assert (await waiting).status_code == 423
    assert await event(heard, lambda told: told is None) is None
    await until(lambda: caplog.text.count("the line to other Managers is back") == 2)
    await know_each_other(alfa, beta)
    await hears(alfa, beta)
    await hears(beta, alfa)


async def test_what_cannot_be_put_into_words_is_something_missed(managers: Managers) -> None:
    alfa, beta = await managers.two()
    heard = beta.manager.bus.subscribe()
    alfa.manager.neighbors.tell(News(woken=[object()]))  # type: ignore[list-item]
    assert await event(heard, lambda told: told is None) is None
    await hears(alfa, beta)


async def test_what_is_said_while_the_line_is_broken_is_not_lost(managers: Managers) -> None:
    alfa, beta = await managers.two()
    heard = beta.manager.bus.subscribe()
    cut_lines(managers.url)
    alfa.manager.tell_log("j", "t", "hello")
    told = await event(heard, lambda told: isinstance(told, TaskLogged) or told is None)
    # Either it arrives, or everybody is told to look again.
    assert told is None or told.text == "hello"


async def test_a_number_of_another_manager_is_no_place_to_go_on_from(managers: Managers) -> None:
    alfa, beta = await managers.two()
    await submit(alfa)
    for number in (alfa.manager.bus.number, alfa.manager.bus.number - 1000):
        heard = beta.manager.bus.subscribe(number)
        assert (await heard.next(1)).event is None  # type: ignore[union-attr]


async def test_a_worker_with_another_secret_is_known_to_both(managers: Managers) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    new = "9" * 64
    assert (await ask(alfa, worker, "rotate-secret", {"secret": new})).status_code == 204
    url = "/api/v3/worker/state"
    # At once: it may go to another Manager with its next breath.
    assert (await beta.client.get(url, auth=(worker, new))).status_code == 204
    assert (await beta.client.get(url, auth=(worker, "s"))).status_code == 204


async def test_a_worker_that_is_asked_for_another_secret_hears_of_it_from_both(
    managers: Managers,
) -> None:
    alfa, beta = await managers.two()
    worker = await join(beta)
    heard = beta.manager.bus.subscribe()
    url = f"/api/v3/worker-mgt/workers/{worker}/rotate-secret"
    assert (await alfa.client.post(url)).is_success
    await event(heard, lambda told: type(told).__name__ == "WorkerSecretChanged")
    assert "flamenco-rotate-secret" in (await ask(beta, worker, "task")).headers


async def test_a_worker_that_one_manager_approves_is_let_in_by_the_other(
    managers: Managers,
) -> None:
    mode = {"worker_registration": RegistrationSettings(mode=Admission.APPROVAL)}
    alfa, beta = await managers.start(**mode), await managers.start(**mode)
    body = {"name": "w", "platform": "linux", "secret": SECRET, "supported_task_types": ["misc"]}
    answer = await beta.client.post("/api/v3/worker/register-worker", json=body)
    worker = answer.json()["uuid"]
    assert (await ask(beta, worker, "task")).status_code == 403
    approve = f"/api/v3/worker-mgt/workers/{worker}/approve"
    assert (await alfa.client.post(approve, json={})).is_success
    assert (await ask(beta, worker, "state-changed", {"status": "awake"})).status_code == 204
    assert (await ask(beta, worker, "task")).status_code == 204
