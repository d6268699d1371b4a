"""What Flamenco's Blender add-on asks, in its order, from the refresh to the submitted job."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import FramesPlugin, on_both

from flamenco_core.offers.variable import Variable, VariableValue

pytestmark = on_both
STORAGE = Variable(
    name="storage",
    is_twoway=True,
    values=(
        VariableValue(value="S:\\shared", platform="windows"),
        VariableValue(value="/mnt/shared", platform="linux"),
    ),
)


@pytest.fixture
def plugins() -> list[object]:
    return [FramesPlugin()]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"variables": (STORAGE,)}


async def refresh(api: Any, platform: str) -> dict[str, Any]:
    """Ask the four questions; each must be answered, or the Manager cannot be reached."""
    paths = {
        "version": "version",
        "storage": f"configuration/shared-storage/users/{platform}",
        "types": "jobs/types",
        "tags": "worker-mgt/tags",
    }
    answers = {key: await api.client.get(f"/api/v3/{path}") for key, path in paths.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {key: answer.json() for key, answer in answers.items()}


def job(etag: str, **rest: Any) -> dict[str, Any]:
    return {
        "name": "shot 010",
        "type": "echo-sleep-test",
        "type_etag": etag,
        "priority": 50,
        "submitter_platform": "windows",
        "initial_status": "queued",
        "metadata": {},
        "settings": {"message": "dummy-for-job-check.blend", "sleep_repeats": 0},
        **rest,
    }


def etag_in(found: dict[str, Any], name: str = "echo-sleep-test") -> str:
    return next(t["etag"] for t in found["types"]["job_types"] if t["name"] == name)


async def test_a_submission_from_windows(api: Any, go_worker: Any) -> None:
    etag = etag_in(await refresh(api, "windows"))
    assert etag == etag_in(await refresh(api, "windows"))
    checked = await api.client.post("/api/v3/jobs/check", json=job(etag))
    assert (checked.status_code, checked.content) == (204, b"")

    where = "S:\\shared\\scenes\\shot.blend"
    settings = {"message": where, "sleep_repeats": 0}
    answer = await api.client.post("/api/v3/jobs", json=job(etag, settings=settings))
    assert answer.is_success
    stored = answer.json()
    assert {"id", "created", "updated", "status", "activity", "submitter_platform"} <= set(stored)
    # Stored so that it is right everywhere; a Worker gets the paths of its own system.
    assert stored["settings"]["message"].startswith("{storage}")
    worker = await go_worker("on linux").join()
    task = (await worker.ask()).json()
    assert task["commands"][0]["parameters"]["message"] == "/mnt/shared/scenes/shot.blend"


async def test_a_submission_with_a_tag_that_starts_paused(api: Any) -> None:
    tag = (await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu"})).json()["id"]
    found = await refresh(api, "linux")
    assert [t["id"] for t in found["tags"]["tags"]] == [tag]
    body = job(etag_in(found), worker_tag=tag, initial_status="paused")
    answer = await api.client.post("/api/v3/jobs", json=body)
    assert (answer.json()["status"], answer.json()["worker_tag"]) == ("paused", tag)


@pytest.mark.parametrize("path", ["jobs/check", "jobs"])
async def test_job_types_that_changed_since_the_refresh(api: Any, path: str) -> None:
    answer = await api.client.post(f"/api/v3/{path}", json=job("an old one"))
    assert answer.status_code == 412


@pytest.mark.parametrize("path", ["jobs/check", "jobs"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"worker_tag": "1f2c5e74-7c8e-4a51-8c5d-111111111111"}, "tag"),
        ({"type": "gone", "type_etag": ""}, "job type"),
        ({"settings": {"message": 3}}, "message"),
    ],
)
async def test_what_the_artist_should_read_is_a_400(
    api: Any, path: str, change: dict[str, Any], words: str
) -> None:
    etag = etag_in(await refresh(api, "linux"))
    answer = await api.client.post(f"/api/v3/{path}", json=job(etag, **change))
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_requests_that_other_tools_send(api: Any) -> None:
    """No priority, a query that means nothing, a body on DELETE, a slash too many."""
    body = {k: v for k, v in job("").items() if k not in {"priority", "type_etag"}}
    answer = await api.client.post("/api/v3/jobs?pretty", json=body)
    assert answer.json()["priority"] == 50
    id = answer.json()["id"]
    assert (await api.client.get(f"/api/v3/jobs/{id}?pretty=1")).json()["id"] == id
    deleted = await api.client.request("DELETE", f"/api/v3/jobs/{id}", json={"why": "not"})
    assert deleted.status_code == 204
