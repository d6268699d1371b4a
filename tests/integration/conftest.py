"""The product's own server, on a free port of this machine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.server import Server, bind


@attrs.define
class Served:
    """A Manager behind a real server, in a thread of its own."""

    url: str
    app: Any
    server: Server
    thread: threading.Thread
    error: BaseException | None = None

    def stop(self, limit: float = 10.0) -> float:
        """Stop as a signal would; return how long it took (seconds)."""
        started = time.monotonic()
        self.server.should_exit = True
        self.thread.join(limit)
        assert not self.thread.is_alive(), "the server did not stop"
        return time.monotonic() - started

    def on_loop(self, work: Callable[[], Any]) -> None:
        """Do something on the server's event loop."""
        done = threading.Event()

        def do() -> None:
            work()
            done.set()

        self.app.state.loop.call_soon_threadsafe(do)
        assert done.wait(5)


Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    @contextmanager
    def started(*plugins: object, loaded: Any = None, **settings: Any) -> Iterator[Served]:
        folder = tmp_path / "manager"
        given = {
            "database": str(folder / "farm.sqlite"),
            "local_manager_storage_path": folder / "local",
            "shared_storage_path": str(folder),
            "autodiscoverable": False,
        }
        settled = loaded or ManagerSettings(**{**given, **settings})
        app = create_manager(settled, plugins=plugins, discover=False, strict=True)
        listener = bind("127.0.0.1", 0)
        ready = threading.Event()
        server = Server(app, ready.set)
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", app, server, None)  # type: ignore[arg-type]

        def run() -> None:
            async def main() -> None:
                app.state.loop = asyncio.get_running_loop()
                await server.serve(sockets=[listener])

            try:
                asyncio.run(main())
            except BaseException as error:
                served.error = error
                ready.set()

        served.thread = threading.Thread(target=run, name="server")
        served.thread.start()
        try:
            assert ready.wait(20)
            assert served.error is None
            yield served
        finally:
            served.stop()

    return started
