"""Let `flamenco submit` use the Blender that belongs to a project."""

from pathlib import Path

from flamenco_core import hookimpl

FOLDER = Path("/studio/programs")


@hookimpl
def find_program(name, given):
    program = FOLDER / (given or name) / name
    return [str(program)] if program.exists() else None
