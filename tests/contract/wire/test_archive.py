"""The archive of a job has everything, and reads as documented."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from image_steps import NAMES, Shown, send

from flamenco_core.manager.archive import archive_name
from flamenco_core.manager.usecases import archive as facts

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


@pytest.fixture
async def rendered(api: Any, go_worker: Any, jobs: Any) -> str:
    """A job of three tasks: one failed and is done, one is at work, one waits."""
    worker, job = await go_worker().join(), await jobs(2, name="Shot / 010 ü")
    task = (await worker.ask()).json()
    await worker.update(task, log="one line\n", activity="rendering")
    shown = Shown(api)
    assert (await send(worker, task)).status_code == 202
    await shown.next()
    shown.close()
    assert (await worker.update(task, taskStatus="completed")).status_code == 204
    await worker.ask()
    return job


def opened(data: bytes) -> tuple[zipfile.ZipFile, Any]:
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None

    def lines(name: str) -> list[Any]:
        return [json.loads(line) for line in found.read(name).splitlines()]

    return found, lines


async def test_it_has_the_job_its_tasks_runs_logs_and_images(api: Any, rendered: str) -> None:
    answer = await api.client.get(f"/api/v3/jobs/{rendered}/archive")
    assert answer.headers["content-type"] == "application/zip"
    assert f"Shot-010-_-{rendered}.zip" in answer.headers["content-disposition"]
    found, lines = opened(answer.content)
    about, job = (json.loads(found.read(n)) for n in ("archive.json", "job.json"))
    assert (about["format"], about["job"], job["id"]) == (1, rendered, rendered)
    shown = await api.job(rendered)
    assert {k: job[k] for k in ("name", "settings", "status")} == {
        k: shown[k] for k in ("name", "settings", "status")
    }
    tasks = lines("tasks.jsonl")
    assert [task["id"] for task in tasks] == [t["id"] for t in await api.tasks(rendered)]
    assert tasks[0]["commands"][0]["name"] == "echo"
    assert tasks[1]["depends_on"] == [tasks[0]["id"]]
    runs = lines("runs.jsonl")
    assert [(run["task"], run["outcome"]) for run in runs] == [
        (tasks[0]["id"], "completed"),
        (tasks[1]["id"], None),
    ]
    assert runs[0]["worker_name"] == "go"
    (name,) = [n for n in found.namelist() if tasks[0]["id"] in n]
    assert found.read(name).decode() == await api.log(tasks[0]["id"])
    newest = await api.client.get(f"/job-files/job-{rendered[:4]}/{rendered}/{NAMES[0]}")
    assert found.read(f"images/{NAMES[0]}") == newest.content
    assert lines("failures.jsonl") == json.loads(found.read("blocklist.json")) == []


async def test_a_job_of_many_tasks_is_read_in_pages(
    api: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "PAGE", 2)
    monkeypatch.setattr("flamenco_core.manager.archive.PIECE", 64)
    job = await jobs(6)
    _, lines = opened((await api.client.get(f"/api/v3/jobs/{job}/archive")).content)
    assert len(lines("tasks.jsonl")) == 7


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_job_has_none(
    api: Any, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_folder(api, tmp_path / "kept", monkeypatch)
    answer = await api.client.request(method, f"/api/v3/jobs/{NOWHERE}/archive")
    assert answer.status_code == 404
    assert not list(tmp_path.glob("kept/*"))


def use_folder(api: Any, folder: Path, patch: pytest.MonkeyPatch, **more: Any) -> None:
    import attrs

    settings = api.manager.settings
    cleanup = attrs.evolve(settings.cleanup, archive_path=folder, **more)
    patch.setattr(api.manager, "settings", attrs.evolve(settings, cleanup=cleanup))


async def test_it_is_put_into_the_managers_folder(
    api: Any, rendered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await api.client.post(f"/api/v3/jobs/{rendered}/archive")
    assert refused.status_code == 400
    assert "cleanup.archive_path" in refused.json()["message"]
    use_folder(api, tmp_path / "kept", monkeypatch)
    for _ in range(2):
        stored = (await api.client.post(f"/api/v3/jobs/{rendered}/archive")).json()
    path = Path(stored["path"])
    assert path.stat().st_size == stored["size"]
    assert list(path.parent.iterdir()) == [path]
    opened(path.read_bytes())


async def test_before_deletion_it_is_archived_and_else_not_deleted(
    api: Any, rendered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    (tmp_path / "file").touch()
    with monkeypatch.context() as patch:
        use_folder(api, tmp_path / "file" / "kept", patch, archive_before_delete=True)
        assert (await api.client.delete(f"/api/v3/jobs/{rendered}")).status_code == 204
        await api.manager.deletion.delete_marked()
        assert f"job {rendered} could not be deleted" in caplog.text
        assert "delete_requested_at" in await api.job(rendered)
    use_folder(api, tmp_path / "kept", monkeypatch, archive_before_delete=True)
    await api.manager.deletion.delete_marked()
    assert (await api.client.get(f"/api/v3/jobs/{rendered}")).status_code == 404
    (archive,) = (tmp_path / "kept").iterdir()
    found, _ = opened(archive.read_bytes())
    assert any(name.startswith("logs/") for name in found.namelist())


@pytest.mark.parametrize(
    ("name", "begins"),
    [("Shot 010", "Shot-010-"), ("../../etc", "etc-"), ("", "job-"), ("x" * 200, "x" * 40 + "-")],
)
def test_the_name_of_a_file_is_safe(name: str, begins: str, database: None) -> None:
    assert archive_name("id", name) == f"{begins}id.zip"
