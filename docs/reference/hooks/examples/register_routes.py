"""``GET /house/greeting``."""

from litestar import get

from flamenco_core import hookimpl
from flamenco_core.offers import Raw, operation


@hookimpl
def register_routes(manager):
    @get("/house/greeting", opt=operation("greet", Raw("text/plain")), sync_to_thread=False)
    def greeting() -> str:
        """Say hello."""
        return "Hello from plugin " + manager.plugins["greeting"].name

    return [greeting]
