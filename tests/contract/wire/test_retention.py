"""Which jobs are kept, and which go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from flamenco_core.domain.retention import Rule

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


async def post(api: Any, path: str, body: Any) -> Any:
    return await api.client.post(f"/api/v3/jobs/{path}", json=body)


async def prune(api: Any, **selection: Any) -> Any:
    answer = await post(api, "prune", {"older_than_seconds": 0, **selection})
    assert answer.status_code == 200, answer.text
    await api.manager.deletion.delete_marked()
    return answer.json()


@pytest.fixture
def canceled(api: Any, jobs: Any) -> Any:
    """Submit a job and cancel it: it is finished, and has done nothing."""

    async def make(**rest: Any) -> str:
        job: str = await jobs(**rest)
        body = {"status": "cancel-requested", "reason": "a test"}
        assert (await post(api, f"{job}/setstatus", body)).status_code == 204
        return job

    return make


async def there(api: Any) -> set[str]:
    return {job["id"] for job in (await api.client.get("/api/v3/jobs")).json()["jobs"]}


async def test_a_rehearsal_says_what_would_go_and_how_big_it_is(
    api: Any, jobs: Any, canceled: Any
) -> None:
    waiting, done = await jobs(), await canceled()
    task = (await api.tasks(done))[0]["id"]
    api.manager.logs.write(done, task, 1, "x" * 999 + "\n", 0)
    found = await prune(api, dry_run=True)
    assert [(job["id"], job["size"], job["reason"]) for job in found["jobs"]] == [
        (done, 1000, "rule 1")
    ]
    assert (found["dry_run"], found["size"]) == (True, 1000)
    assert await there(api) == {waiting, done}


async def test_what_is_pruned_is_gone_and_what_is_kept_or_unfinished_stays(
    api: Any, jobs: Any, canceled: Any
) -> None:
    waiting, gone, kept = await jobs(), await canceled(), await canceled()
    assert (await post(api, f"{kept}/retention", {"keep": True})).status_code == 204
    found = await prune(api)
    assert [job["id"] for job in found["jobs"]] == [gone]
    assert await there(api) == {waiting, kept}
    assert (await post(api, f"{kept}/retention", {})).status_code == 204
    await prune(api)
    assert await there(api) == {waiting}


async def test_only_the_statuses_that_are_named_go(api: Any, canceled: Any) -> None:
    job = await canceled()
    assert (await prune(api, statuses=["completed", "failed"]))["jobs"] == []
    assert [j["id"] for j in (await prune(api, statuses=["canceled"]))["jobs"]] == [job]


async def test_only_jobs_of_the_user_that_is_named_go(api: Any, canceled: Any) -> None:
    his, hers = await canceled(), await canceled(metadata={"user.name": "Artist"})
    assert (await prune(api, user="bo"))["jobs"] == []
    assert [j["id"] for j in (await prune(api, user="artist"))["jobs"]] == [hers]
    assert await there(api) == {his}


async def test_younger_ones_stay(api: Any, canceled: Any) -> None:
    await canceled()
    assert (await prune(api, older_than_seconds=3600))["jobs"] == []


async def test_a_job_shows_how_long_it_is_kept(api: Any, canceled: Any) -> None:
    job = await canceled()
    assert "retention" not in await api.job(job)
    assert (await api.client.get(f"/api/v3/jobs/{job}/retention")).json() == {
        "keep": False,
        "reason": "no rule is about it; the clean-up is off",
    }
    await post(api, f"{job}/retention", {"seconds": 86_400})
    shown = (await api.job(job))["retention"]
    assert (shown["seconds"], shown["reason"]) == (86_400, "its own time; the clean-up is off")
    assert shown["expires"] > (await api.job(job))["updated"]
    assert (await api.client.get(f"/api/v3/jobs/{job}/retention")).json() == shown


async def test_it_counts_as_no_change_of_the_job(api: Any, canceled: Any) -> None:
    job = await canceled()
    before = (await api.job(job))["updated"]
    await post(api, f"{job}/retention", {"keep": True})
    assert (await api.job(job))["updated"] == before


async def test_the_clean_up_follows_the_rules_and_archives_first(
    api: Any, jobs: Any, canceled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = await canceled(), await canceled()
    await post(api, f"{kept}/retention", {"keep": True})
    settings = api.manager.settings
    rules = (Rule(job_type="another"), Rule(job_type="echo-sleep-test", seconds=0))
    cleanup = attrs.evolve(
        settings.cleanup,
        enabled=True,
        rules=rules,
        archive_path=tmp_path / "kept",
        archive_before_delete=True,
    )
    monkeypatch.setattr(api.manager, "settings", attrs.evolve(settings, cleanup=cleanup))
    await api.manager.cleanup.run()
    await api.manager.deletion.delete_marked()
    assert await there(api) == {kept}
    assert [gone in path.name for path in (tmp_path / "kept").iterdir()] == [True]


async def test_one_that_is_requeued_meanwhile_stays(
    api: Any, canceled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await canceled()
    found = await api.manager.cleanup.candidates([Rule(seconds=0)])
    read = api.manager.database.read

    async def stale(fn: Any, *args: Any) -> Any:
        return [c.job for c in found] if fn.__name__ == "find_expired" else await read(fn, *args)

    await post(api, f"{job}/setstatus", {"status": "requeueing", "reason": "again"})
    monkeypatch.setattr(api.manager.database, "read", stale)
    assert await api.manager.cleanup.prune([Rule(seconds=0)]) == []
    monkeypatch.undo()
    assert "delete_requested_at" not in await api.job(job)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("prune", {}, "say how old jobs must be: older_than_seconds"),
        ("prune", {"older_than_seconds": -1}, "must be from 0"),
        ("prune", {"older_than_seconds": 10**30}, "more than 64 bits"),
        ("prune", {"older_than_seconds": 0, "statuses": ["active"]}, "never pruned"),
        ("prune", {"older_than_seconds": 0, "archive": True}, "cleanup.archive_path"),
        (f"{NOWHERE}/retention", {"keep": True, "seconds": 1}, "either keep or seconds"),
        (f"{NOWHERE}/retention", {"seconds": -1}, "must be from 0"),
        (f"{NOWHERE}/retention", {"keep": "yes"}, "keep"),
    ],
)
async def test_a_wrong_request_is_refused(
    api: Any, canceled: Any, path: str, body: Any, words: str
) -> None:
    job = await canceled()
    answer = await post(api, path, body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await there(api) == {job}


async def test_an_unknown_job_is_404(api: Any) -> None:
    assert (await post(api, f"{NOWHERE}/retention", {"keep": True})).status_code == 404
    assert (await api.client.get(f"/api/v3/jobs/{NOWHERE}/retention")).status_code == 404
