"""A Manager is not needed here: a folder of scripts, a clock, and ids in order."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from flamenco_javascript.compiler import Compiler
from flamenco_javascript.definition import Definition
from flamenco_javascript.folder import Libraries, Script
from flamenco_javascript.job_types import ScriptJobType, ScriptJobTypes
from flamenco_javascript.settings import Settings

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredJob, Submission

SCRIPTS = Path(__file__).with_name("scripts")
HEADER = 'const JOB_TYPE = {label: "Test", settings: []};\n'


class HandClock:
    """A clock that people turn by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> int:
        return int(self.seconds * 1_000_000)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012x}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for scripts, beside other things."""
    made = tmp_path / "scripts"
    made.mkdir()
    made.chmod(0o755)
    return made


@pytest.fixture
def own_scripts(tmp_path: Path) -> Path:
    """The scripts of these tests, in a folder that only we can write to."""
    copy = tmp_path / "own"
    shutil.copytree(SCRIPTS, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


@pytest.fixture
def job_types_in(clock: HandClock, new_id: Callable[[], str]) -> Callable[..., ScriptJobTypes]:
    def make(*folders: Path, **settings: Any) -> ScriptJobTypes:
        return ScriptJobTypes(folders, Compiler(Settings(**settings)), clock, new_id)

    return make


@pytest.fixture
def submission() -> Callable[..., Submission]:
    def make(settings: dict[str, Any] | None = None, **changes: Any) -> Submission:
        facts = {
            "job_id": "11111111-2222-4333-8444-555555555555",
            "name": "shot 12",
            "type": "test",
            "priority": 50,
            "created": 1_700_000_000_000_000,
            "settings": settings or {},
            "metadata": {"project": "Agent"},
            "shaman_checkout_id": "agent/12",
            "worker_tag": "",
        }
        return Submission(**{**facts, **changes})

    return make


Compile = Callable[..., Awaitable[AuthoredJob]]


@pytest.fixture
def compiled(submission: Callable[..., Submission], new_id: Callable[[], str]) -> Compile:
    """Compile a job with the given body of compileJob, or with a whole script."""

    async def compile(
        body: str = "",
        *,
        script: str | None = None,
        job: dict[str, Any] | None = None,
        libraries: dict[str, str] | None = None,
        limits: Settings | None = None,
        file: str = "test.js",
        **changes: Any,
    ) -> AuthoredJob:
        source = script or f"{HEADER}function compileJob(job) {{\n{body}\n}}"
        read = Script(
            name="test",
            path=Path(file),
            source=source,
            libraries=Libraries(texts=libraries or {}),
        )
        # Not described first: that would be a process more, and the same errors.
        job_type = ScriptJobType(
            name="test",
            source_hash="",
            definition=Definition(label="Test", description="", settings=()),
            script=read,
            compiler=Compiler(limits or Settings()),
            new_id=new_id,
        )
        return await job_type.compile(submission(job, **changes))

    return compile


@pytest.fixture
def refused(compiled: Compile) -> Callable[..., Awaitable[str]]:
    """Compile what must be refused, and return what people are told."""

    async def tell(*args: Any, **kwargs: Any) -> str:
        with pytest.raises(JobTypeError) as raised:
            await compiled(*args, **kwargs)
        return str(raised.value)

    return tell


@pytest.fixture(scope="session")
def evaluate() -> Callable[[list[str]], list[Any]]:
    """Evaluate JavaScript expressions in one run; one that throws becomes its error."""

    def run(expressions: list[str]) -> list[Any]:
        source = (
            f"{HEADER}function compileJob(job) {{ job.settings.results = {json.dumps(expressions)}"
            ".map((text) => { try { return {value: (0, eval)(text)}; }"
            " catch (error) { return {error: String(error)}; } }); }"
        )
        script = Script(name="test", path=Path("test.js"), source=source)
        facts = {
            "jobID": "",
            "name": "test",
            "jobType": "test",
            "priority": 50,
            "created": 0,
            "settings": {},
            "metadata": {},
            "shamanCheckoutID": "",
            "workerTagUUID": "",
        }

        async def ask() -> bytes:
            seed = "00000000-0000-4000-8000-000000000000"
            return await Compiler(Settings()).ask(script, "compile", id=seed, job=facts)

        results = json.loads(anyio.run(ask))["job"]["settings"]["results"]
        return [r["error"] if "error" in r else r.get("value") for r in results]

    return run
