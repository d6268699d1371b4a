"""Read the Manager's URL from a file that the studio's installer writes."""

from pathlib import Path

import anyio

from flamenco_core import hookimpl

FILE = Path("/etc/flamenco-manager-url")


@hookimpl
async def find_manager():
    file = anyio.Path(FILE)
    return (await file.read_text()).strip() if await file.exists() else None
