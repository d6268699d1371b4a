"""``GET /house/greeting``."""

from litestar import get

from flamenco_core import hookimpl


@hookimpl
def register_routes(manager):
    @get("/house/greeting", sync_to_thread=False)
    def greeting() -> str:
        return "Hello from plugin " + manager.plugins["greeting"].name

    return [greeting]
