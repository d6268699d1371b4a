import anyio
import attrs

from flamenco_core import Command, Run, hookimpl


@attrs.frozen
class Touch(Command):
    """Create an empty file."""

    name = "touch"
    path: str

    async def run(self, run: Run) -> None:
        await anyio.Path(self.path).touch()
        await run.log(f"touched {self.path}")


@hookimpl
def register_commands():
    return [Touch]
