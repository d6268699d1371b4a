from __future__ import annotations

from types import SimpleNamespace

from litestar.testing import create_test_client


def test_the_example_answers(load, example) -> None:
    plugins = load("manager", example("register_routes"))
    manager = SimpleNamespace(plugins={"greeting": SimpleNamespace(name="greeting")})
    handlers = plugins.registered("register_routes", manager=manager)
    with create_test_client(list(handlers.values())) as client:
        assert client.get("/house/greeting").text == "Hello from plugin greeting"


def test_handlers_of_one_name_do_not_clash(load, implementing) -> None:
    from litestar import get

    def plugin(path: str):
        @get(path, sync_to_thread=False)
        def handler() -> str:
            return path

        return implementing(path.strip("/"), register_routes=lambda: [handler])

    one, two = plugin("/one"), plugin("/two")
    offers = load("manager", one, two).registered("register_routes", manager=None)
    assert len(offers) == 2
