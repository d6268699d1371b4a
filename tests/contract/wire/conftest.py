"""Clients as they really speak, and a judge who reads every answer."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import httpx
import jsonschema
import pytest
import yaml
from sqlalchemy import create_engine

from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.testing import RunningManager

# What several test modules of this folder share: wire_* and image_steps.
sys.path.append(str(Path(__file__).parent))

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "flamenco-openapi.yaml"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FREE = {"settings", "parameters", "default", "propargs"}
"""Keys below which people's own data stands."""

formats = jsonschema.FormatChecker(formats=())
formats.checks("date-time")(lambda text: bool(TIME.fullmatch(text)))


class Reference:
    """Flamenco's API document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        for schema in document["components"]["schemas"].values():
            # A few schemas require keys that they do not have; the document is wrong there.
            known = schema.get("properties", {})
            real = [key for key in schema.pop("required", ()) if key in known]
            if real:
                schema["required"] = real
        self.operations: dict[str, tuple[str, str, dict[str, Any]]] = {}
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    self.operations[operation["operationId"]] = (method.upper(), path, operation)

    def operation_of(self, method: str, path: str) -> dict[str, Any] | None:
        # Literal paths before those with parameters.
        for _, (its_method, template, operation) in sorted(
            self.operations.items(), key=lambda item: item[1][1].count("{")
        ):
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if its_method == method and re.fullmatch(pattern, path):
                return operation
        return None

    def check(self, operation: dict[str, Any], status: int, body: Any, media_type: str) -> None:
        responses = operation["responses"]
        response = responses.get(str(status), responses.get("default"))
        if status >= 400 and (response is None or "content" not in response):
            response = self.document["paths"]["/api/v3/jobs"]["post"]["responses"]["default"]
        assert response is not None, f"{operation['operationId']} does not answer {status}"
        content = response.get("content", {})
        if not content:
            assert body in (None, "", b""), f"{status} of {operation['operationId']} has a body"
            return
        assert media_type in content, f"{media_type} is not among {list(content)}"
        if media_type == "application/json":
            self.validate(content[media_type]["schema"], body)

    def validate(self, schema: dict[str, Any], body: Any) -> None:
        whole = {"allOf": [schema], "components": self.document["components"]}
        jsonschema.Draft4Validator(whole, format_checker=formats).validate(body)

    def validate_as(self, name: str, body: Any) -> None:
        self.validate({"$ref": f"#/components/schemas/{name}"}, body)


@pytest.fixture(scope="session")
def reference() -> Reference:
    found = load_reference()
    if found is None:
        pytest.skip("reference data: Flamenco's API document is not at hand")
    return found


@cache
def load_reference() -> Reference | None:
    if not REFERENCE.exists():
        return None
    return Reference(yaml.load(REFERENCE.read_text(), Loader=FAST))


class Judge:
    """Reads every answer; with the API document at hand, holds it against that as well."""

    def __init__(self) -> None:
        self.reference = load_reference()
        self.seen: list[tuple[str, str, int]] = []

    async def __call__(self, response: httpx.Response) -> None:
        await response.aread()
        request, path = response.request, response.request.url.path
        self.seen.append((request.method, path, response.status_code))
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code in {202, 204}:
            assert response.content == b""
            assert response.status_code == 202 or "content-type" not in response.headers
        elif response.status_code >= 400 and response.status_code != 423:
            self.check_error(response)
        elif path.startswith("/api/v3") and not path.endswith(("logtail", "/archive", "/picture")):
            assert response.headers["content-type"] == "application/json"
        body = response.json() if media_type == "application/json" and response.content else None
        assert_no_null(body)
        operation = self.reference and self.reference.operation_of(request.method, path)
        if "next-task" in response.headers.get("preference-applied", ""):
            operation = self.reference and self.reference.operations["scheduleTask"][2]
        if self.reference and operation:
            self.reference.check(operation, response.status_code, body, media_type)

    def check_error(self, response: httpx.Response) -> None:
        assert response.headers["content-type"] == "application/json"
        body = response.json()
        assert set(body) == {"code", "message"}
        assert body["code"] == response.status_code
        assert type(body["code"]) is int
        assert isinstance(body["message"], str)
        assert body["message"].strip()


def assert_no_null(value: Any, where: str = "body") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert item is not None, f"{where}.{key} is null"
            if key not in FREE:
                assert_no_null(item, f"{where}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            assert item is not None, f"{where}[{number}] is null"
            assert_no_null(item, f"{where}[{number}]")


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
async def api(
    manager: Any,
    judge: Judge,
    database: str | None,
    plugins: list[object],
    settings: dict[str, Any],
    more: dict[str, Any],
) -> AsyncIterator[RunningManager]:
    """A Manager; what its client hears is judged."""
    given = settings | ({"database": database} if database else {})
    async with manager(plugins, settings=given, **more) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


@pytest.fixture
def plugins() -> list[object]:
    """The Manager's plugins beside the built-in ones, for a test module to say."""
    return []


@pytest.fixture
def settings() -> dict[str, Any]:
    """Fields of the Manager's settings, for a test module to say."""
    return {}


@pytest.fixture
def more() -> dict[str, Any]:
    """Further arguments of `create_manager`, for a test module to say."""
    return {}


@pytest.fixture(params=[None])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """SQLite; with the parameter "postgresql", that."""
    if not request.param:
        yield None
        return
    server = request.getfixturevalue("postgresql_server")
    name = server.create_database(request.getfixturevalue("postgresql_template"))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: Any) -> str:
    """A database with all tables: to copy it is quicker than to migrate each anew."""
    name = str(postgresql_server.create_database())
    engine = create_engine(postgresql_server.url(name))
    upgrade(engine)
    engine.dispose()
    return name


@attrs.define
class GoWorker:
    """Speaks as Flamenco's own Worker does: no epochs, no numbers, no wishes."""

    client: httpx.AsyncClient
    name: str = "go"
    task_types: list[str] = attrs.field(factory=lambda: ["misc"])
    secret: str = "5" * 64
    uuid: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)

    async def register(self) -> dict[str, Any]:
        body = {
            "name": self.name,
            "platform": "linux",
            "secret": self.secret,
            "supported_task_types": self.task_types,
        }
        answer = await self.post("register-worker", body, auth="Basic Og==")
        assert answer.status_code == 200
        self.uuid = answer.json()["uuid"]
        return answer.json()

    async def sign_on(self) -> httpx.Response:
        body = {
            "name": self.name,
            "supported_task_types": self.task_types,
            "software_version": "3.9-beta1 (cf286e71)",
            "can_restart": False,
        }
        return await self.post("sign-on", body)

    async def join(self) -> GoWorker:
        await self.register()
        status = (await self.sign_on()).json()["status_requested"]
        assert (await self.post("state-changed", {"status": status})).status_code == 204
        return self

    async def ask(self) -> httpx.Response:
        return await self.post("task")

    async def update(self, task: dict[str, Any], **said: Any) -> httpx.Response:
        return await self.post(f"task/{task['uuid']}", said)

    async def may_i_run(self, task: dict[str, Any]) -> dict[str, Any]:
        return (await self.get(f"task/{task['uuid']}/may-i-run")).json()

    @property
    def auth(self) -> str:
        return "Basic " + base64.b64encode(f"{self.uuid}:{self.secret}".encode()).decode()

    async def post(
        self, path: str, body: Any = None, auth: str | None = None, **headers: str
    ) -> httpx.Response:
        sent = {"Authorization": auth or self.auth, "User-Agent": "Flamenco/3.9", **self.headers}
        sent |= {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.client.post(f"/api/v3/worker/{path}", json=body, headers=sent)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(
            f"/api/v3/worker/{path}", headers={"Authorization": self.auth, **self.headers}
        )


@pytest.fixture
def go_worker(api: RunningManager) -> Callable[..., GoWorker]:
    def make(name: str = "go", **rest: Any) -> GoWorker:
        return GoWorker(api.client, name, **rest)

    return make


@pytest.fixture
def begin() -> Callable[..., Any]:
    """Let a new worker of a Manager take the one task of a new job; return both."""

    async def start(api: RunningManager, name: str = "go") -> tuple[GoWorker, dict[str, Any]]:
        settings = {"message": "hi", "sleep_repeats": 0, "sleep_duration_seconds": 1}
        await api.submit("echo-sleep-test", settings)
        worker = await GoWorker(api.client, name, secret=name.ljust(64, "5")).join()
        return worker, (await worker.ask()).json()

    return start


@pytest.fixture
def jobs(api: RunningManager) -> Callable[..., Any]:
    """Submit an echo-sleep job: one echo task, and so many sleeps after it."""

    async def submit(sleeps: int = 1, **rest: Any) -> str:
        settings = {"message": "hi", "sleep_repeats": sleeps, "sleep_duration_seconds": 1}
        return await api.submit("echo-sleep-test", settings, **rest)

    return submit


@pytest.fixture
async def at_work(api: RunningManager, begin: Callable[..., Any]) -> Any:
    """A worker, and the task that it runs."""
    return await begin(api)


@pytest.fixture
async def news(api: RunningManager) -> AsyncIterator[Any]:
    """What is told of images."""
    from image_steps import Shown

    shown = Shown(api)
    yield shown
    shown.close()


@pytest.fixture
def schedule(api: Any) -> Any:
    """Save a sleep schedule."""
    from wire_sleep import url

    async def save(worker: Any, body: dict[str, Any], expected: int = 204) -> str:
        answer = await api.client.post(url(worker.uuid), json=body)
        assert answer.status_code == expected, answer.text
        return answer.text

    return save
