"""Worker tags: made, changed, deleted, and tied to jobs."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


async def ask(api: Any, method: str, path: str, body: Any = None) -> Any:
    return await api.client.request(method, f"/api/v3/{path}", json=body)


@pytest.fixture
async def tag(api: Any) -> Any:
    body = {"name": "gpu", "description": "fast"}
    return (await ask(api, "POST", "worker-mgt/tags", body)).json()


@pytest.fixture
async def tagged(api: Any, go_worker: Any, tag: Any) -> Any:
    worker = await go_worker("fast").join()
    path = f"worker-mgt/workers/{worker.uuid}/settags"
    assert (await ask(api, "POST", path, {"tag_ids": [tag["id"]]})).status_code == 204
    return worker


async def tie(api: Any, job: str, body: Any) -> Any:
    return await ask(api, "POST", f"jobs/{job}/settag", body)


# -- the tags themselves ---------------------------------------------------------------------


async def test_a_tag_is_shown(api: Any, tag: Any) -> None:
    answer = await ask(api, "GET", f"worker-mgt/tag/{tag['id']}")
    assert answer.json() == tag == {"id": tag["id"], "name": "gpu", "description": "fast"}


async def test_a_new_name_leaves_the_description_and_the_id(api: Any, tag: Any) -> None:
    path = f"worker-mgt/tag/{tag['id']}"
    answer = await ask(api, "PUT", path, {"id": NOWHERE, "name": "cuda"})
    assert answer.status_code == 204
    assert (await ask(api, "GET", path)).json() == tag | {"name": "cuda"}
    assert (await ask(api, "PUT", path, {"name": "cuda", "description": ""})).status_code == 204
    assert "description" not in (await ask(api, "GET", path)).json()


async def test_workers_are_listed_with_their_tags(
    api: Any, go_worker: Any, tagged: Any, tag: Any
) -> None:
    await go_worker("slow").join()
    listed = (await ask(api, "GET", "worker-mgt/workers")).json()["workers"]
    assert {worker["name"]: worker.get("tags") for worker in listed} == {
        "fast": [tag],
        "slow": None,
    }


@pytest.mark.parametrize(("name", "words"), [("  ", "needs a name"), ("cpu", "already a tag")])
async def test_a_bad_name_is_refused(api: Any, tag: Any, name: str, words: str) -> None:
    await ask(api, "POST", "worker-mgt/tags", {"name": "cpu"})
    answer = await ask(api, "PUT", f"worker-mgt/tag/{tag['id']}", {"name": name})
    assert answer.status_code == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(("id", "status"), [(NOWHERE, 404), ("gpu", 400)])
async def test_an_unknown_tag_is_named(api: Any, method: str, id: str, status: int) -> None:
    answer = await ask(api, method, f"worker-mgt/tag/{id}", {"name": "x"})
    assert answer.status_code == status
    assert id in answer.json()["message"]


async def test_changes_are_told(api: Any, tag: Any, told: list[Any]) -> None:
    path = f"worker-mgt/tag/{tag['id']}"
    await ask(api, "PUT", path, {"name": "cuda"})
    await ask(api, "DELETE", path)
    assert told == [
        {"tag": {"id": tag["id"], "name": "cuda", "description": "fast"}},
        {"tag": {"id": tag["id"], "name": ""}, "was_deleted": True},
    ]


@pytest.fixture
def told(api: Any, tag: Any) -> list[Any]:
    from flamenco_core.domain.events import TagEvent
    from flamenco_core.wire.events import event_body

    found: list[Any] = []
    deliver = api.manager.bus.publish

    def publish(events: Any) -> None:
        events = [*events]
        found.extend(event_body(event) for event in events if isinstance(event, TagEvent))
        deliver(events)

    api.manager.bus.publish = publish
    return found


# -- jobs of a tag ---------------------------------------------------------------------------


async def test_a_deleted_tag_opens_its_jobs_to_all(
    api: Any, go_worker: Any, jobs: Any, tag: Any
) -> None:
    job = await jobs(worker_tag=tag["id"])
    worker = await go_worker("plain").join()
    assert (await worker.ask()).status_code == 204
    assert (await ask(api, "DELETE", f"worker-mgt/tag/{tag['id']}")).status_code == 204
    assert "worker_tag" not in await api.job(job)
    assert (await worker.ask()).json()["job"] == job


async def test_the_workers_of_a_deleted_tag_lose_it(api: Any, tag: Any, tagged: Any) -> None:
    await ask(api, "DELETE", f"worker-mgt/tag/{tag['id']}")
    shown = (await ask(api, "GET", f"worker-mgt/workers/{tagged.uuid}")).json()
    assert "tags" not in shown


@pytest.mark.parametrize("how", ["id", "name"])
async def test_a_job_is_tied_to_a_tag(
    api: Any, go_worker: Any, jobs: Any, tag: Any, tagged: Any, how: str
) -> None:
    job, plain = await jobs(), await go_worker("plain").join()
    # The id wins over the name.
    body = {"id": tag["id"], "name": "nonsense"} if how == "id" else {"name": "gpu"}
    assert (await tie(api, job, body)).status_code == 204
    assert (await api.job(job))["worker_tag"] == tag["id"]
    assert (await plain.ask()).status_code == 204
    assert (await tagged.ask()).json()["job"] == job


async def test_a_job_is_untied(api: Any, go_worker: Any, jobs: Any, tag: Any) -> None:
    job, plain = await jobs(worker_tag=tag["id"]), await go_worker("plain").join()
    assert (await tie(api, job, {})).status_code == 204
    assert (await plain.ask()).json()["job"] == job


async def test_a_running_task_is_left_alone(api: Any, go_worker: Any, jobs: Any, tag: Any) -> None:
    job, plain = await jobs(), await go_worker("plain").join()
    task = (await plain.ask()).json()
    await tie(api, job, {"id": tag["id"]})
    assert (await plain.may_i_run(task))["mayKeepRunning"] is True
    assert (await plain.update(task, taskStatus="completed")).status_code == 204
    assert (await plain.ask()).status_code == 204


async def test_a_paused_job_stays_paused(api: Any, tagged: Any, jobs: Any, tag: Any) -> None:
    job = await jobs(initial_status="paused")
    await tie(api, job, {"id": tag["id"]})
    assert (await api.job(job))["status"] == "paused"
    assert (await tagged.ask()).status_code == 204
    await ask(api, "POST", f"jobs/{job}/setstatus", {"status": "queued", "reason": "go"})
    assert (await tagged.ask()).json()["job"] == job


@pytest.mark.parametrize("body", [{"id": NOWHERE}, {"name": "nowhere"}, {"id": "no id"}])
async def test_an_unknown_tag_for_a_job_is_406(api: Any, jobs: Any, body: Any) -> None:
    answer = await tie(api, await jobs(), body)
    assert answer.status_code == 406
    assert next(iter(body.values())) in answer.json()["message"]


async def test_an_unknown_job_is_404(api: Any, tag: Any) -> None:
    assert (await tie(api, NOWHERE, {"id": tag["id"]})).status_code == 404
