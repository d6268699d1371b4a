"""A Worker that knows several Managers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from flamenco_core.config import load_settings
from flamenco_core.errors import Busy, ConfigError
from flamenco_core.worker.addresses import Addresses
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.settings import WorkerSettings


@pytest.mark.parametrize("text", ["a, b", "a,b", " a  b ", "http://a/,http://b/", "a,,b,a"])
def test_several_may_be_written_in_several_ways(text: str) -> None:
    addresses = Addresses(text)
    assert addresses.url == "http://a/"
    addresses.leave("http://a/")
    assert addresses.url == "http://b/"
    addresses.leave("http://b/")
    assert addresses.url == "http://a/"


def test_one_address_is_left_by_the_first_that_fails_there_only() -> None:
    addresses = Addresses("a, b, c")
    for _ in range(3):
        addresses.leave("http://a/")
    assert addresses.url == "http://b/"


def test_who_knows_one_manager_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    addresses = Addresses("a")
    addresses.leave("http://a/")
    assert addresses.url == "http://a/"
    assert caplog.text == ""


Fails = Callable[[httpx.Request], httpx.Response]


def hangs_up(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def is_slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def is_busy(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


@pytest.mark.parametrize("fails", [hangs_up, is_slow, is_busy])
async def test_when_one_does_not_answer_the_next_question_goes_to_the_other(fails: Fails) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return fails(request) if request.url.host == "a" else httpx.Response(204)

    client = ManagerClient("http://a/farm, b:8080", transport=httpx.MockTransport(answer))
    with pytest.raises(Busy, match="sign-off"):
        await client.sign_off()
    await client.sign_off()
    await client.sign_off()
    path = "api/v3/worker/sign-off"
    assert asked == [f"http://a/farm/{path}", *[f"http://b:8080/{path}"] * 2]
    await client.close()


async def test_a_refusal_is_an_answer() -> None:
    client = ManagerClient("a, b", transport=httpx.MockTransport(lambda _: httpx.Response(404)))
    with pytest.raises(Exception, match="404"):
        await client.sign_off()
    assert client.url == "http://a/"
    await client.close()


@pytest.mark.parametrize(
    "written", ["[http://a, http://b]", "http://a, http://b", "\n- http://a\n- http://b"]
)
def test_the_settings_take_one_or_a_list(tmp_path: Path, written: str) -> None:
    path = tmp_path / "flamenco-worker.yaml"
    path.write_text(f"manager_url: {written}\n")
    settings = load_settings(path, WorkerSettings, environ={}).settings
    assert settings.manager_url == "http://a, http://b"


@pytest.mark.parametrize("written", ["{a: b}", "[[a]]"])
def test_something_else_is_refused_with_its_place(tmp_path: Path, written: str) -> None:
    path = tmp_path / "flamenco-worker.yaml"
    path.write_text(f"manager_url: {written}\n")
    with pytest.raises(ConfigError, match=r"manager_url.*must be a URL, or a list of URLs"):
        load_settings(path, WorkerSettings, environ={})
