"""``flamenco new-plugin``: the three files that a plugin begins with."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path

import click

from flamenco_core.cli.context import debug_option
from flamenco_core.errors import BadRequest, Conflict

__all__ = ["new_plugin"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Words that the templates use for something else.
_TAKEN = {"command", "run", "hookimpl", "anyio", "attrs"}
_LONGEST = 50


@click.command()
@click.argument("name")
@click.option(
    "--in",
    "folder",
    metavar="FOLDER",
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put it.  [default: here]",
)
@debug_option
def new_plugin(name: str, folder: Path) -> None:
    """Write the files of a new plugin.

    NAME is the plugin's name, in lower case and with dashes, such as 'make-proxy'. The
    plugin offers workers a command of that name, and has a test that passes.
    """
    _check(name)
    target = folder / f"flamenco-{name}"
    if target.exists():
        raise Conflict(f"{target} is there already; choose another name, or remove it first")
    files = _files(name)
    for path, text in files.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    for path in files:
        click.echo(target / path)
    click.echo(f"\ntry it:  cd {target} && pytest\nuse it:  pip install -e {target}", err=True)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise BadRequest(f"{name!r} is no name for a plugin; use lower case, like 'make-proxy'")
    if name in _TAKEN or keyword.iskeyword(name):
        raise BadRequest(f"{name!r} is a word of Python or Flamenco; choose another name")
    if find_spec(_module(name)) is not None:
        raise Conflict(f"module {_module(name)} is installed already; choose another name")


def _module(name: str) -> str:
    return f"flamenco_{name.replace('-', '_')}"


def _files(name: str) -> dict[str, str]:
    words = {
        "NAME": name,
        "MODULE": _module(name),
        "WORD": name.replace("-", "_"),
        "CLASS": "".join(part.capitalize() for part in name.split("-")),
    }
    return {
        "pyproject.toml": _filled(_PROJECT, words),
        f"{_module(name)}.py": _filled(_PLUGIN, words),
        f"tests/test_{words['WORD']}.py": _filled(_TEST, words),
    }


def _filled(template: str, words: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], template)


_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "flamenco-@NAME@"
version = "0.1.0"
description = "A plugin for the Flamenco render farm"
requires-python = ">=3.11"
dependencies = ["flamenco-core"]

[project.entry-points."flamenco.worker"]
@NAME@ = "@MODULE@"

[dependency-groups]
dev = ["flamenco-core[testing]"]

[tool.hatch.build.targets.wheel]
only-include = ["@MODULE@.py"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
anyio_mode = "auto"
"""

_PLUGIN = '''\
import anyio
import attrs

from flamenco_core import Command, Run, hookimpl


@attrs.frozen
class @CLASS@(Command):
    """Create an empty file."""

    name = "@NAME@"
    path: str

    async def run(self, run: Run) -> None:
        await anyio.Path(self.path).touch()
        await run.log(f"touched {self.path}")


@hookimpl
def register_commands():
    return [@CLASS@]
'''

_TEST = """\
import @MODULE@


async def test_@WORD@(run_command, tmp_path):
    path = tmp_path / "done"
    record = await run_command("@NAME@", {"path": str(path)}, plugins=[@MODULE@])
    assert path.exists()
    assert record.lines == [f"touched {path}"]
"""
