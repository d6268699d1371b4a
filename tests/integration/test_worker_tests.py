"""Our own Worker is tested by a Manager, with nothing in their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

from flamenco_core.domain.events import WorkerTested
from flamenco_core.testing.running import Farm, running_farm


async def listed(farm: Farm) -> list[dict[str, Any]]:
    answer = await farm.client.get("/api/v3/worker-mgt/workers")
    return list(answer.json()["workers"])


async def test_our_worker_passes_the_trial_of_files_and_then_works_on(tmp_path: Path) -> None:
    async with running_farm(tmp_path) as farm:
        events = farm.manager.bus.subscribe()
        with anyio.fail_after(20):
            while not (workers := await listed(farm)):
                await anext(aiter(events))
        (worker,) = workers
        url = f"/api/v3/worker-mgt/workers/{worker['id']}/test"
        assert (await farm.client.post(url)).status_code == 200
        with anyio.fail_after(20):
            while not isinstance((await anext(aiter(events))).event, WorkerTested):
                pass
        found = (await farm.client.get(url)).json()
        assert found["status"] == "passed", found
        (files,) = found["trials"]
        assert files["message"] == "made a folder, copied and moved a file"
        assert "move-directory: moving" in files["log"]
        assert files["seconds"] >= 0
        job = await farm.submit("echo-sleep-test", {"message": "hi", "sleep_repeats": 0})
        assert (await farm.run_until_done(job))["status"] == "completed"
        assert [*(tmp_path / "shared" / ".worker-tests").iterdir()] == []
