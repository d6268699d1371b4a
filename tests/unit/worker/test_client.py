from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

import flamenco_core
from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.errors import Busy, Conflict, Forbidden
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.wire.worker import TaskUpdate, WorkerSignOn
from flamenco_core.worker.client import Held, ManagerClient, normal_url

SIGN_ON = WorkerSignOn(name="n", supported_task_types=["misc"], software_version="1")

Answer = Callable[[httpx.Request], httpx.Response]


def client_of(answer: Answer, url: str = "http://m") -> ManagerClient:
    return ManagerClient(url, transport=httpx.MockTransport(answer))


def always(*args: object, **kwargs: object) -> Answer:
    return lambda _: httpx.Response(*args, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("manager", "http://manager/"),
        (" manager:8080 ", "http://manager:8080/"),
        ("https://farm.studio/flamenco", "https://farm.studio/flamenco/"),
        ("http://10.0.0.1:8080/", "http://10.0.0.1:8080/"),
    ],
)
def test_urls_may_be_short(given: str, url: str) -> None:
    assert normal_url(given) == url


async def test_a_sub_path_of_the_manager_is_kept() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    client = client_of(answer, "http://farm.studio/flamenco")
    client.use_credentials("id-1", "secret")
    await client.sign_off()
    (request,) = asked
    assert str(request.url) == "http://farm.studio/flamenco/api/v3/worker/sign-off"
    assert request.headers["User-Agent"] == f"Flamenco/{flamenco_core.__version__}"
    assert request.headers["Authorization"] == "Basic aWQtMTpzZWNyZXQ="
    assert request.extensions["timeout"]["read"] == 15


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_is_busy(status: int) -> None:
    with pytest.raises(Busy, match=f"answered {status}: wait"):
        await client_of(always(status, json={"message": "wait"})).sign_on(SIGN_ON)


async def test_a_refusal_says_why() -> None:
    with pytest.raises(Forbidden, match="who are you"):
        await client_of(always(403, json={"code": 403, "message": "who are you"})).sign_off()


@pytest.mark.parametrize(
    "body", [b"<html>Welcome to nginx!</html>", b"{}", b"[]", b"\xff", b'{"status_requested":5}']
)
async def test_a_senseless_answer_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(Busy, match="cannot make sense"):
        await client_of(always(200, content=body)).sign_on(SIGN_ON)


async def test_a_page_of_a_proxy_as_an_error_is_no_crash() -> None:
    with pytest.raises(Busy, match="Bad Gateway"):
        await client_of(always(502, content=b"<html>\xff")).sign_on(SIGN_ON)


async def test_a_redirect_says_where_to() -> None:
    answer = always(301, headers={"Location": "https://farm.studio/"})
    with pytest.raises(Busy, match=r"moved to https://farm\.studio/"):
        await client_of(answer).sign_on(SIGN_ON)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no"), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("x")]
)
async def test_no_connection_is_busy(error: httpx.TransportError) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Busy, match="http://m/"):
        await client_of(answer).sign_on(SIGN_ON)


async def test_a_state_from_the_future_is_an_error_state() -> None:
    client = client_of(always(200, json={"status_requested": "dancing"}))
    assert await client.sign_on(SIGN_ON) == WorkerStatus.ERROR


async def test_the_questions_and_answers_of_a_day() -> None:
    manager = FakeManager(holds=False)
    client = ManagerClient("http://m", transport=manager)
    assert await client.state() is None
    assert await client.schedule(30) == Held(False)
    manager.give(a_task())
    assert await client.schedule(30) == a_task()
    assert manager.calls[-1][1]["Prefer"] == "wait=30"
    manager.ask_for(WorkerStatus.ASLEEP)
    assert await client.schedule(30) == WorkerStatus.ASLEEP
    assert await client.state() == WorkerStatus.ASLEEP
    assert (await client.may_i_run("t")).mayKeepRunning
    await client.output_produced("t", b"image", "image/png")
    assert manager.images == [("t", "image/png", b"image")]
    await client.close()


async def test_a_held_question_may_take_its_time() -> None:
    limits = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return httpx.Response(204, headers={"Preference-Applied": "wait=30"})

    assert await client_of(answer).schedule(30) == Held(True)
    assert limits == [45]


async def test_a_next_task_is_taken_only_from_a_manager_that_knows_of_it() -> None:
    body = {"taskStatus": "completed"}
    update = TaskUpdate(taskStatus=TaskStatus.COMPLETED)
    assert await client_of(always(200, json=body)).update("t", update, next_task=True) is None
    manager = FakeManager()
    manager.give(a_task(uuid="next"))
    client = ManagerClient("http://m", transport=manager)
    assert await client.update("t", update) is None
    assert await client.update("t", update, next_task=True) == a_task(uuid="next")
    manager.taken_away.add("t")
    with pytest.raises(Conflict):
        await client.update("t", update)
