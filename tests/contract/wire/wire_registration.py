"""What the tests of registration do."""

from __future__ import annotations

from typing import Any

import httpx

from flamenco_core.domain.registration import Admission
from flamenco_core.manager.registration_settings import RegistrationSettings

SECRET = "the secret of the whole farm"
TOKENS = "/api/v3/worker-mgt/registration-tokens"
REGISTER = "/api/v3/worker/register-worker"


def only(mode: str, **rest: Any) -> dict[str, Any]:
    """Return the settings of a Manager with this door."""
    return {"worker_registration": RegistrationSettings(mode=Admission(mode), **rest)}


async def make(api: Any, **body: Any) -> str:
    """Make a registration token; return it."""
    answer = await api.client.post(TOKENS, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def a_worker(name: str = "new", **rest: Any) -> dict[str, Any]:
    return {
        "name": name,
        "platform": "linux",
        "secret": name.ljust(64, "7"),
        "supported_task_types": ["misc"],
        **rest,
    }


async def register(
    client: httpx.AsyncClient, shown: str | None = None, name: str = "new", **rest: Any
) -> httpx.Response:
    """Register as our Workers do."""
    headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    return await client.post(REGISTER, json=a_worker(name, **rest), headers=headers)


async def workers(api: Any) -> dict[str, dict[str, Any]]:
    """Return the workers of the list, by name."""
    listed = (await api.client.get("/api/v3/worker-mgt/workers")).json()["workers"]
    return {worker["name"]: worker for worker in listed}
