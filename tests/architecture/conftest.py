"""What the rules look at: every source file of the product, parsed once."""

from __future__ import annotations

import ast
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("flamenco_core", "plugins", "examples", "benchmarks", "faults", "scripts", "tests")


@attrs.frozen
class Source:
    """One Python file."""

    path: Path
    text: str = attrs.field(repr=False)
    tree: ast.Module = attrs.field(repr=False)

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def is_product(self) -> bool:
        """Whether it is shipped: no test, no script, no example."""
        inside = self.name.startswith(("flamenco_core/", "plugins/"))
        return inside and "/tests/" not in self.name

    @property
    def is_program(self) -> bool:
        """Whether it is run, by Blender or as a child process, and never imported.

        It has no host, and what it prints is its output.
        """
        name = self.path.name
        inside = name.startswith("bpy_") or name.endswith("in_blender.py")
        return inside or name in ("child.py", "demo_scene.py", "__main__.py")


def _sources() -> list[Source]:
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts and ".venv" not in path.parts:
                text = path.read_text(encoding="utf-8")
                found.append(Source(path, text, ast.parse(text)))
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    return _sources()


@pytest.fixture(scope="session")
def product(sources: list[Source]) -> list[Source]:
    return [source for source in sources if source.is_product]
