from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import pytest
from litestar import get, post
from litestar.testing import create_test_client

from flamenco_core import Problem, hookimpl
from flamenco_core.errors import DuplicateName, PluginError
from flamenco_core.manager import create_manager
from flamenco_core.manager.http.document import ANYWHERE
from flamenco_core.offers import Raw, operation


def test_the_example_answers(load, example) -> None:
    plugins = load("manager", example("register_routes"))
    manager = SimpleNamespace(plugins={"greeting": SimpleNamespace(name="greeting")})
    handlers = plugins.registered("register_routes", manager=manager)
    with create_test_client(list(handlers.values())) as client:
        assert client.get("/house/greeting").text == "Hello from plugin greeting"


def test_handlers_of_one_name_do_not_clash(load, implementing) -> None:
    def plugin(path: str):
        @get(path, sync_to_thread=False)
        def handler() -> str:
            return path

        return implementing(path.strip("/"), register_routes=lambda: [handler])

    one, two = plugin("/one"), plugin("/two")
    offers = load("manager", one, two).registered("register_routes", manager=None)
    assert len(offers) == 2


# -- in a Manager ----------------------------------------------------------------------------


def serving(name: str, *paths: str, method: Any = get, **how: Any) -> ModuleType:
    """A plugin with a route for each path."""

    def route(path: str) -> Any:
        @method(path, sync_to_thread=False, **how)
        def handler() -> str:
            return name

        return handler

    plugin = ModuleType(name)
    offer = hookimpl(specname="register_routes")(lambda: [route(path) for path in paths])
    plugin.register_routes = offer  # type: ignore[attr-defined]
    return plugin


async def test_a_manager_serves_it(manager, example) -> None:
    async with manager([serving("house", "/house/one", "/house/{job:str}/two")]) as running:
        assert (await running.client.get("/house/one")).text == "house"
        assert (await running.client.get("/house/7/two")).text == "house"
        (shown,) = [
            plugin
            for plugin in (await running.client.get("/api/v3/plugins")).json()["plugins"]
            if plugin["name"] == "house"
        ]
        assert shown["state"] == "on"


@pytest.mark.parametrize("strict", [True, False])
def test_two_plugins_that_want_one_path_are_named(strict: bool) -> None:
    plugins = [serving("one", "/a", "/house/{x:str}"), serving("two", "/house/{y:str}")]
    with pytest.raises(DuplicateName, match=r"'two'.*GET /house/{} .* by plugin 'one'.*blocked"):
        create_manager(plugins=plugins, discover=False, strict=strict)


def test_two_methods_of_one_path_are_two_routes() -> None:
    plugins = [serving("one", "/house"), serving("two", "/house", method=post)]
    create_manager(plugins=plugins, discover=False, strict=True)


@pytest.mark.parametrize("path", ["/api/v3/version", "/api/v3/jobs/{id:str}", "/api/v3/jobs/"])
def test_flamencos_own_paths_are_taken(path: str) -> None:
    with pytest.raises(DuplicateName, match="the Manager itself"):
        create_manager(plugins=[serving("one", path)], discover=False)


def test_a_route_that_is_none_turns_its_plugin_off(implementing) -> None:
    def unusable(job: NoSuchType) -> str:  # noqa: F821
        return ""

    broken = get("/broken", sync_to_thread=False)(unusable)
    plugin = implementing("broken", register_routes=lambda: [broken, "no route at all"])
    good = serving("good", "/good")
    app = create_manager(plugins=[plugin, good], discover=False)
    assert app.state.manager.plugins["broken"].state == "off"
    assert "register_routes" in app.state.manager.plugins["broken"].error
    paths = {route.path for route in app.routes}
    assert "/good" in paths
    assert "/broken" not in paths
    with pytest.raises(PluginError, match="broken"):
        create_manager(plugins=[plugin], discover=False, strict=True)


async def test_routes_of_plugins_are_behind_the_same_gate(manager, implementing) -> None:
    shut = implementing("shut", check_access=lambda action: [Problem(f"no {action.operation}")])
    house = serving("house", "/house", opt={"operation": "seeHouse"})
    async with manager([house, shut]) as running:
        answer = await running.client.get("/house")
    assert answer.status_code == 403
    assert answer.json()["message"].endswith("no seeHouse")


async def test_errors_of_routes_have_the_one_shape(manager, implementing, caplog) -> None:
    @get("/house", sync_to_thread=False)
    def handler() -> str:
        raise RuntimeError("a secret")

    async with manager([implementing(register_routes=lambda: [handler])]) as running:
        answer = await running.client.get("/house")
    assert answer.status_code == 500
    assert set(answer.json()) == {"code", "message"}
    assert "a secret" not in answer.text


# -- in the API document ---------------------------------------------------------------------


@attrs.frozen
class House:
    """A house."""

    name: str


async def document(running: Any) -> dict[str, Any]:
    return dict((await running.client.get("/api/v3/openapi3.json")).json())


async def test_what_a_route_declares_is_in_the_document(manager) -> None:
    plugin = serving("house", "/house/{house_id:str}", opt=operation("seeHouse", House))
    async with manager([plugin]) as running:
        shown = await document(running)
    found = shown["paths"]["/house/{house_id}"]["get"]
    assert found["operationId"] == "seeHouse"
    assert [p["name"] for p in found["parameters"]] == ["house_id"]
    assert found["responses"].keys() == {"200", "404", *map(str, ANYWHERE)}
    assert shown["components"]["schemas"]["House"]["required"] == ["name"]


async def test_a_route_that_declares_nothing_is_in_the_document_with_what_is_known(manager) -> None:
    async with manager([serving("house", "/house/{room:int}")]) as running:
        shown = await document(running)
        page = (await running.client.get("/api/v3/swagger-ui")).text
        assert (await running.client.get("/house/7")).text == "house"
    found = shown["paths"]["/house/{room}"]["get"]
    assert found["responses"].keys() == {"default"}
    assert [p["name"] for p in found["parameters"]] == ["room"]
    assert "<code>/house/{room}</code>" in page


async def test_a_declaration_that_cannot_be_read_turns_its_plugin_off(manager) -> None:
    @attrs.frozen
    class Broken:
        wall: NoSuchType  # noqa: F821

    broken = serving("broken", "/broken", opt=operation("break", Broken))
    async with manager([broken], strict=False) as running:
        assert running.manager.plugins["broken"].state == "off"
        assert "NoSuchType" in running.manager.plugins["broken"].error
        assert "/broken" not in (await document(running))["paths"]


async def test_what_a_plugin_says_of_itself_is_text_on_the_page(manager, implementing) -> None:
    @get("/house", opt=operation("<i>", {200: Raw("<b>")}), sync_to_thread=False)
    def handler() -> str:
        """Say <script>alert(1)</script> & more."""
        return ""

    async with manager([implementing(register_routes=lambda: [handler])]) as running:
        page = (await running.client.get("/api/v3/swagger-ui")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    for tag in ("<script", "<i>", "<b>"):
        assert tag not in page
