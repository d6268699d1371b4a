"""The document as it is served, and the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from flamenco_core.manager.http.api_document import document_of


class Page(HTMLParser):
    """Collects what a browser would load, run or jump to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            assert not key.startswith("on"), f"{tag} has a script in {key}"
            assert key != "style"
            if key == "src" or (tag == "link" and key == "href"):
                self.loaded.append(value or "")
            elif key == "href":
                self.links.append(value or "")
            elif key == "id":
                self.ids.append(value or "")


async def test_the_document_is_served_where_flamencos_is(api) -> None:
    answer = await api.client.get("/api/v3/openapi3.json")
    shown = answer.json()
    assert shown == document_of(api.app)
    assert shown["openapi"].startswith("3.0.")
    assert "/api/v3/openapi3.json" in shown["paths"]


@pytest.mark.parametrize("path", ["/api/v3/swagger-ui", "/api/v3/swagger-ui/"])
async def test_the_page_shows_every_operation_and_every_body(client, path: str) -> None:
    answer = await client.get(path)
    page = Page(answer.text)
    shown = (await client.get("/api/v3/openapi3.json")).json()
    for item in shown["paths"].values():
        for operation in item.values():
            assert operation["operationId"] in page.ids
    assert {f"body-{name}" for name in shown["components"]["schemas"]} <= set(page.ids)
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)


async def test_the_page_needs_no_script_and_no_other_host(client) -> None:
    answer = await client.get("/api/v3/swagger-ui/")
    page = Page(answer.text)
    assert not {"script", "style", "iframe", "img", "object"} & set(page.tags)
    assert page.loaded == ["/api/v3/swagger-ui/style.css"]
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    style = await client.get(page.loaded[0])
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert not re.search(r"url\(|@import", style.text)


async def test_inside_of_another_application_addresses_begin_with_its_own(manager) -> None:
    async with manager() as running:

        async def farm(scope: Any, receive: Any, send: Any) -> None:
            inside = {"root_path": "/farm", "path": scope["path"].removeprefix("/farm")}
            await running.app({**scope, **inside}, receive, send)

        transport = httpx.ASGITransport(farm)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            shown = (await client.get("/farm/api/v3/openapi3.json")).json()
            page = Page((await client.get("/farm/api/v3/swagger-ui")).text)
    assert shown["servers"] == [{"url": "/farm"}]
    assert page.loaded == ["/farm/api/v3/swagger-ui/style.css"]


async def test_every_path_says_which_methods_it_has(client) -> None:
    shown = (await client.get("/api/v3/openapi3.json")).json()
    for path, item in shown["paths"].items():
        answer = await client.options(re.sub(r"\{\w+\}", "x", path))
        allowed = set(answer.headers["allow"].split(", "))
        assert allowed >= {*map(str.upper, item), "OPTIONS"}, path
        other = await client.patch(re.sub(r"\{\w+\}", "x", path))
        assert other.status_code == 405
        assert other.headers["allow"]


@pytest.fixture
def client(api) -> httpx.AsyncClient:
    # Not judged: these pages are no JSON, and an answer to OPTIONS has no body at all.
    api.client.event_hooks["response"].clear()
    return api.client
