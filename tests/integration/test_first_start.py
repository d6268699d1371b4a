"""A Manager that is set up while it works: it opens to others, and loses nobody."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flamenco_core.errors import ConfigError
from flamenco_core.manager import create_manager
from flamenco_core.manager.server import Server, bind
from flamenco_core.manager.settings import load_manager_settings

UNCHECKED = {"input": "", "path": "", "source": "default", "is_usable": True, "cause": ""}
ASSISTANT = "/api/v3/configuration/setup-assistant"


@asynccontextmanager
async def first_start(folder: Path, listen: str) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    file = folder / "flamenco-manager.yaml"
    file.write_text(f"listen: '{listen}'\nautodiscoverable: false\n")
    app = create_manager(load_manager_settings(file, environ={}), discover=False, strict=True)
    listener, ready = bind("127.0.0.1", 0), asyncio.Event()
    server = Server(app, ready.set)
    running = asyncio.create_task(server._serve([listener]))
    await ready.wait()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            yield client, server
    finally:
        server.should_exit = True
        await running


@pytest.fixture
def choice(tmp_path: Path) -> dict[str, Any]:
    shared = tmp_path / "shared"
    shared.mkdir()
    return {"storageLocation": str(shared), "blenderExecutable": UNCHECKED}


async def opened(server: Any) -> None:
    assert server._widening is not None
    await server._widening


async def test_it_opens_its_port_to_others_without_losing_a_request(
    tmp_path, choice, caplog
) -> None:
    caplog.set_level(logging.INFO)
    async with first_start(tmp_path, ":0") as (client, server):
        manager = server._app.state.manager
        assert [host for host, _ in manager.served] == ["127.0.0.1"]
        done = asyncio.Event()

        async def keep_asking() -> int:
            asked = 0
            while not done.is_set():
                # A new connection each time: that is what could be lost.
                async with httpx.AsyncClient(base_url=client.base_url) as other:
                    assert (await other.get("/api/v3/version")).status_code == 200
                asked += 1
            return asked

        asking = asyncio.create_task(keep_asking())
        assert (await client.post(ASSISTANT, json=choice)).status_code == 204
        await opened(server)
        for _ in range(5):
            assert (await client.get("/api/v3/version")).status_code == 200
        done.set()
        assert await asking > 0
        assert [host for host, _ in manager.served] == ["127.0.0.1", "0.0.0.0"]
        assert len({port for _, port in manager.served}) == 1
        assert "others reach it" in caplog.text
        with pytest.raises(ConfigError, match="cannot listen"):
            bind("127.0.0.1", manager.served[0][1])


async def test_another_port_can_be_chosen_in_the_assistant(tmp_path, choice) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with first_start(tmp_path, "127.0.0.1:0") as (client, server):
        answer = await client.post(ASSISTANT, json={**choice, "listen": f"127.0.0.1:{port}"})
        assert answer.status_code == 204
        await opened(server)
        other = await client.get(f"http://127.0.0.1:{port}/api/v3/version")
        assert other.status_code == 200
        assert server._app.state.manager.configuration.restart_needed == []


async def test_who_keeps_to_this_machine_gets_no_second_socket(tmp_path, choice) -> None:
    async with first_start(tmp_path, "localhost:0") as (client, server):
        assert (await client.post(ASSISTANT, json=choice)).status_code == 204
        await opened(server)
        assert len(server._app.state.manager.served) == 1


async def test_a_port_that_is_taken_is_told_and_the_manager_goes_on(
    tmp_path, choice, caplog
) -> None:
    async with first_start(tmp_path, "127.0.0.1:0") as (client, server):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            answer = await client.post(ASSISTANT, json={**choice, "listen": listen})
            assert answer.status_code == 204
            await opened(server)
        assert "only this machine can reach the Manager until it is restarted" in caplog.text
        assert (await client.get("/api/v3/version")).status_code == 200
        assert server._app.state.manager.configuration.restart_needed == ["listen"]
