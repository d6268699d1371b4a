"""``flamenco frames 1-10,20`` counts frames."""

from flamenco_core import hookimpl
from flamenco_core.offers import Subcommand


def load():
    """Import click and build the command only when somebody uses it."""
    import click

    from flamenco_core.domain.frames import frame_count

    @click.command
    @click.argument("frames")
    def command(frames):
        """Count the frames in FRAMES."""
        click.echo(frame_count(frames))

    return command


@hookimpl
def register_subcommands():
    return [Subcommand("frames", "Count frames.", load)]
