"""Write down every ten minutes that the farm is alive."""

import anyio

from flamenco_core import Service, hookimpl


@hookimpl
def register_services(host):
    async def note():
        await anyio.Path("alive.txt").write_text(f"{host.clock.now()}\n")

    return [Service(name="note-alive", run=note, every=600)]
