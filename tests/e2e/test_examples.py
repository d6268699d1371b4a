"""The programs in ``examples/`` do what they say."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from litestar.testing import AsyncTestClient

from flamenco_core.domain.events import JobFacts, JobStatusChanged
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.manager.settings import load_manager_settings
from flamenco_core.offers import Submission
from flamenco_core.plugins import Plugins

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, tmp_path):
    """Import an example as its own folder would; what it keeps goes to *tmp_path*."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    # A farm that is not set up answers to its own machine only, and this client has no address.
    monkeypatch.setenv("FLAMENCO_SHARED_STORAGE_PATH", str(tmp_path))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (EXAMPLES / f"{name}.py").exists():
            del sys.modules[name]


def test_the_touch_plugin_passes_its_own_test():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    folder = EXAMPLES / "touch_plugin"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def submission(type, settings):
    return Submission(
        job_id="j", name="n", type=type, priority=50, created=0, settings=settings
    )  # fmt: skip


# -- one_file_plugin


async def test_frames_are_copied(example, run_command, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("1.png", "2.png", "notes.txt"):
        (source / name).write_text(name)
    parameters = {"source": str(source), "target": str(tmp_path / "out"), "pattern": "*.png"}
    plugin = example("one_file_plugin")
    record = await run_command("copy-frames", parameters, plugins=[plugin])
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"1.png", "2.png"}
    assert record.steps == 2


async def test_nothing_to_copy_is_a_failure(example, run_command, tmp_path):
    plugin = example("one_file_plugin")
    parameters = {"source": str(tmp_path), "target": str(tmp_path / "out"), "pattern": "*.png"}
    with pytest.raises(plugin.CommandError, match=r"\*\.png"):
        await run_command("copy-frames", parameters, plugins=[plugin])


async def test_the_job_type_uses_the_command(example):
    plugin = example("one_file_plugin")
    settings = {"source": "/a", "target": "/b"}
    job = Submission(
        job_id="j", name="n", type="deliver", priority=50, created=0, settings=settings
    )
    (task,) = (await plugin.Deliver.offered().compile(job)).tasks
    assert task.commands[0].name == "copy-frames"
    assert task.commands[0].parameters == {"source": "/a", "target": "/b", "pattern": "*.png"}


# -- house_rules


@pytest.fixture
def rules(example):
    return example("house_rules").HouseRules()


def candidate(name: str) -> Candidate:
    return Candidate(
        task_id=name, task_name="t", task_type="blender", task_priority=50,
        job_id=name, job_name=name, job_type="simple-blender-render", job_priority=50,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("worker", "chosen"), [("desk-3", "shot preview"), ("node-1", None)], ids=["desk", "node"]
)
def test_previews_go_to_desks_first(rules, worker, chosen):
    at_work = WorkerAtWork(id="w", name=worker, platform="linux", task_types=("blender",))
    candidates = (candidate("film"), candidate("shot preview"))
    found = rules.choose_task(at_work, candidates)
    assert (found and found.job_name) == chosen
    assert rules.choose_task(at_work, candidates[:1]) is None


@pytest.mark.parametrize(
    ("frames", "count"), [("1-1000", 0), ("1-1001", 1), ("nonsense", 0), (None, 0)]
)
def test_long_jobs_are_refused_in_words(rules, frames, count):
    settings = {} if frames is None else {"frames": frames}
    job = submission("t", settings)
    assert len(rules.check_submission(job)) == count


def failed_job() -> JobStatusChanged:
    facts = JobFacts(
        id="j", name="n", type="render", priority=50, status=JobStatus.FAILED,
        updated=0, steps_completed=0, steps_total=1,
    )  # fmt: skip
    return JobStatusChanged(job=facts, previous_status=JobStatus.ACTIVE)


def test_every_hook_is_one_that_the_manager_knows(rules):
    plugins = Plugins("manager", strict=True)
    plugins.register(rules)
    (info,) = plugins
    assert len(info.hooks) == 4


# -- programs around a Manager


async def test_the_studios_manager_has_the_house_rules(example):
    module = example("studio_manager")
    manager = module.app.state.manager
    async with AsyncTestClient(module.app) as client:
        await manager.plugins.tell("on_event", event=failed_job(), host=manager)
        assert (await client.get("/house/failures")).json() == {"render": 1}
        assert (await client.get("/api/v3/version")).status_code == 200
        job = {"name": "long", "type": "echo-sleep-test", "submitter_platform": "linux"}
        job["settings"] = {"message": "x", "frames": "1-5000"}
        refused = await client.post("/api/v3/jobs", json=job)
    assert refused.status_code == 400
    assert "#render" in refused.json()["message"]


async def test_a_manager_runs_inside_another_application(example):
    async with AsyncTestClient(example("embed_in_asgi").app) as client:
        assert (await client.get("/studio")).text == "Our studio"
        assert (await client.get("/api/v3/version")).json()["name"]
        assert (await client.get("/api/v3/jobs")).json() == {"jobs": []}
        assert (await client.get("/api/v3/nothing")).status_code == 404


# -- live_settings


async def test_a_long_job_is_let_in_without_a_restart(example, manager, tmp_path):
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text(
        f"shared_storage_path: {tmp_path}\nplugins: {{long_jobs: {{most_frames: 5}}}}\n"
    )
    plugin = example("live_settings").LongJobs()
    job = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
    job["settings"] = {"message": "hi", "frames": "1-10"}
    async with manager([plugin], settings=load_manager_settings(file, environ={})) as running:
        refused = await running.client.post("/api/v3/jobs/check", json=job)
        assert refused.json()["message"] == "10 frames are more than 5; ask in #render"
        body = {"plugins": {"long_jobs": {"most_frames": 10}}}
        changed = await running.client.put("/api/v3/configuration/file", json=body)
        assert "restart-needed" not in changed.headers
        assert (await running.client.post("/api/v3/jobs/check", json=job)).status_code == 204
        body["plugins"]["long_jobs"]["most_frames"] = 0
        wrong = await running.client.put("/api/v3/configuration/file", json=body)
        assert "plugins.long_jobs.most_frames: must be >= 1" in wrong.json()["message"]
