"""What jobs take of the disk, and the deletion of those that somebody names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from wire_conversation import on_both

pytestmark = on_both
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


async def post(api: Any, path: str, body: Any) -> Any:
    return await api.client.post(f"/api/v3/jobs/{path}", json=body)


async def delete(api: Any, *jobs: str, **how: Any) -> Any:
    answer = await post(api, "delete", {"job_ids": [*jobs], **how})
    assert answer.status_code == 200, answer.text
    await api.manager.deletion.delete_marked()
    return answer.json()


async def there(api: Any) -> set[str]:
    return {job["id"] for job in (await api.client.get("/api/v3/jobs")).json()["jobs"]}


@pytest.fixture
def archives(api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for archives, which the Manager has now."""
    settings = api.manager.settings
    cleanup = attrs.evolve(settings.cleanup, archive_path=tmp_path / "archives")
    monkeypatch.setattr(api.manager, "settings", attrs.evolve(settings, cleanup=cleanup))
    return tmp_path / "archives"


async def with_files(api: Any, job: str) -> None:
    task = (await api.tasks(job))[0]["id"]
    api.manager.logs.write(job, task, 1, "x" * 999 + "\n", 0)
    (api.manager.logs.folder(job) / "last-rendered.jpg").write_bytes(b"i" * 50)


async def test_the_disk_use_of_one_job_and_of_all(api: Any, jobs: Any, archives: Path) -> None:
    big, small = await jobs(), await jobs()
    await with_files(api, big)
    nothing = {"job_id": small, "logs": 0, "images": 0, "archive": 0}
    assert (await api.client.get(f"/api/v3/jobs/{big}/disk-use")).json() == {
        "job_id": big,
        "logs": 1000,
        "images": 50,
        "archive": 0,
    }
    size = (await post(api, f"{big}/archive", {})).json()["size"]
    found = (await api.client.get("/api/v3/disk-use")).json()["jobs"]
    assert found == [{"job_id": big, "logs": 1000, "images": 50, "archive": size}, nothing]


async def test_an_unknown_job_has_no_disk_use(api: Any) -> None:
    assert (await api.client.get(f"/api/v3/jobs/{NOWHERE}/disk-use")).status_code == 404


async def test_only_those_that_are_named_go_and_each_is_told_of(api: Any, jobs: Any) -> None:
    stays, goes = await jobs(), await jobs(name="old")
    await with_files(api, goes)
    rehearsed = await delete(api, goes, NOWHERE, dry_run=True)
    assert await there(api) == {stays, goes}
    assert rehearsed["size"] == 1050
    assert rehearsed["jobs"][0] == {
        "id": goes,
        "name": "old",
        "type": "echo-sleep-test",
        "status": "queued",
        "size": 1050,
    }
    assert "there is no job" in rehearsed["jobs"][1]["problem"]
    done = await delete(api, goes.upper(), goes, NOWHERE)
    assert done == rehearsed | {"dry_run": False}
    assert await there(api) == {stays}
    assert not api.manager.logs.folder(goes).exists()


async def test_what_is_to_be_kept_goes_only_when_it_is_meant(api: Any, jobs: Any) -> None:
    job = await jobs()
    await post(api, f"{job}/retention", {"keep": True})
    (spared,) = (await delete(api, job, spare_kept=True))["jobs"]
    assert spared["problem"] == "it is to be kept"
    assert await there(api) == {job}
    await delete(api, job)
    assert await there(api) == set()


async def test_the_archive_comes_first_and_stays(api: Any, jobs: Any, archives: Path) -> None:
    job = await jobs(name="old")
    await delete(api, job, archive=True)
    assert await there(api) == set()
    assert (archives / f"old-{job}.zip").is_file()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"job_ids": []}, "1 to 1000 ids"),
        ({"job_ids": [NOWHERE] * 1001}, "1 to 1000 ids"),
        ({"job_ids": ["x"]}, "not an id"),
        ({"job_ids": NOWHERE}, "job_ids"),
        ({}, "job_ids"),
        ({"job_ids": [NOWHERE], "archive": True}, "cleanup.archive_path"),
        ({"job_ids": [NOWHERE], "dry_run": "yes"}, "dry_run"),
    ],
)
async def test_what_makes_no_sense_answers_400(api: Any, jobs: Any, body: Any, words: str) -> None:
    job = await jobs()
    answer = await post(api, "delete", body)
    assert (answer.status_code, words in answer.json()["message"]) == (400, True), answer.text
    assert await there(api) == {job}
