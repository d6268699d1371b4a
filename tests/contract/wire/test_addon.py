"""The conversation of Flamenco's Blender add-on."""

from __future__ import annotations

from typing import Any

import pytest


async def get(api, path: str) -> Any:
    answer = await api.client.get(f"/api/v3/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def job(**rest: Any) -> dict[str, Any]:
    return {
        "name": "shot 010",
        "type": "echo-sleep-test",
        "submitter_platform": "linux",
        "settings": {"message": "hi", "sleep_duration_seconds": 1, "sleep_repeats": 1},
        "metadata": {},
        "initial_status": "queued",
        **rest,
    }


async def post(api, path: str, body: Any) -> Any:
    return await api.client.post(f"/api/v3/{path}", json=body)


async def test_the_four_questions_of_a_refresh(api) -> None:
    version = await get(api, "version")
    assert set(version) == {"version", "shortversion", "name", "git"}
    storage = await get(api, "configuration/shared-storage/users/linux")
    assert storage["shamanEnabled"] is False
    assert storage["location"].startswith("/")
    types = (await get(api, "jobs/types"))["job_types"]
    assert [job_type["name"] for job_type in types] == ["echo-sleep-test"]
    assert types[0] == await get(api, "jobs/type/echo-sleep-test")
    assert await get(api, "worker-mgt/tags") == {"tags": []}


async def test_a_job_is_checked_and_submitted(api) -> None:
    etag = (await get(api, "jobs/type/echo-sleep-test"))["etag"]
    settings = {"message": "hi", "blendfile": "dummy-for-job-check.blend"}
    checked = await post(api, "jobs/check", job(type_etag=etag, settings=settings, priority=50))
    assert checked.status_code == 204
    assert await get(api, "jobs") == {"jobs": []}
    answer = await post(api, "jobs", job(type_etag=etag))
    assert answer.status_code == 200
    stored = answer.json()
    assert stored["priority"] == 50
    assert stored["status"] == "queued"
    assert stored["submitter_platform"] == ""
    assert stored["settings"]["message"] == "hi"
    assert stored["metadata"] == {}
    assert not {"type_etag", "initial_status", "worker_tag", "storage"} & set(stored)
    assert await get(api, f"jobs/{stored['id']}") == stored


async def test_a_job_may_begin_paused(api) -> None:
    assert (await post(api, "jobs", job(initial_status="paused"))).json()["status"] == "paused"
    assert (await post(api, "jobs", job(initial_status="active"))).status_code == 400


async def test_null_is_as_good_as_left_out(api) -> None:
    given = job(worker_tag=None, storage=None, type_etag=None, initial_status=None)
    assert (await post(api, "jobs", given)).status_code == 200


@pytest.mark.parametrize("path", ["jobs", "jobs/check"])
async def test_an_old_etag_answers_412(api, path: str) -> None:
    answer = await post(api, path, job(type_etag="0" * 40))
    assert answer.status_code == 412
    assert "refresh" in answer.json()["message"]


@pytest.mark.parametrize("path", ["jobs", "jobs/check"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "no-such"}, "no-such"),
        ({"settings": {}}, "message"),
        ({"settings": {"message": 5}}, "message"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"priority": 50.0}, "priority"),
        ({"priority": 2**63}, "priority"),
        ({"name": None}, "name"),
        ({"storage": "x"}, "storage"),
    ],
)
async def test_what_is_wrong_is_said_to_the_artist(api, path, change, words) -> None:
    answer = await post(api, path, job(**change))
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_an_unknown_tag_is_said_to_the_artist(api) -> None:
    answer = await post(api, "jobs", job(worker_tag="1f2c5e74-7c8e-4a51-8c5d-111111111111"))
    assert answer.status_code == 400
    assert "worker tag" in answer.json()["message"]


async def test_a_missing_key_is_named(api) -> None:
    answer = await post(api, "jobs", {"name": "x"})
    assert answer.status_code == 400
    assert "submitter_platform" in answer.json()["message"]


async def test_a_job_with_a_tag_goes_to_its_workers(api, go_worker) -> None:
    tag = (await post(api, "worker-mgt/tags", {"name": "gpu", "description": "fast"})).json()
    assert (await get(api, "worker-mgt/tags"))["tags"] == [tag]
    other, fast = await go_worker("slow").join(), await go_worker("fast").join()
    given = {"tag_ids": [tag["id"]]}
    assert (await post(api, f"worker-mgt/workers/{fast.uuid}/settags", given)).status_code == 204
    stored = (await post(api, "jobs", job(worker_tag=tag["id"]))).json()
    assert stored["worker_tag"] == tag["id"]
    assert (await other.ask()).status_code == 204
    assert (await fast.ask()).json()["job"] == stored["id"]


async def test_a_job_sent_twice_with_one_id_is_one_job(api) -> None:
    id = "1f2c5e74-7c8e-4a51-8c5d-222222222222"
    first, second = await post(api, "jobs", job(id=id)), await post(api, "jobs", job(id=id))
    assert first.json() == second.json()
    assert first.json()["id"] == id
    assert (await post(api, "jobs", job(id="shot"))).status_code == 400


async def test_a_path_of_the_storage_is_the_same_file_everywhere(api) -> None:
    answer = await api.client.get("/api/v3/configuration/shared-storage/artists/linux")
    assert answer.status_code == 400
    values = await get(api, "configuration/variables/workers/linux")
    assert values["jobs"]["is_twoway"] is False
    assert values["blender"]["value"] == "blender"
