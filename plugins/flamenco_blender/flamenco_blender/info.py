"""``flamenco blender-info``: show which Blender tasks would use."""

from __future__ import annotations

import anyio
import click

from flamenco_blender.finder import BlenderFinder

__all__ = ["blender_info"]


@click.command("blender-info")
@click.option("--exe", default="", help="Look at this one instead of searching.")
def blender_info(exe: str) -> None:
    """Show which Blender tasks would use that say only ``blender``."""
    finder = BlenderFinder(exe=exe)
    found = anyio.run(finder.find)
    for complaint in finder.complaints:
        click.echo(f"skipped: {complaint}", err=True)
    if found is None:
        raise click.ClickException(
            "no Blender found; install it, or pip install 'flamenco-blender[bpy]'"
        )
    click.echo(f"Blender {found.version}")
    click.echo(f"  from     {found.origin}")
    click.echo(f"  command  {' '.join(found.argv)}")
