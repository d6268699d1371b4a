"""The lock knows everything that is asked for, and every file that needs to travel does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def locked(root: Path) -> dict[str, list[str]]:
    """Versions by name; one name can have several, for different Pythons."""
    found: dict[str, list[str]] = {}
    for match in re.finditer(r"^([\w.-]+)==(\S+)", (root / "requirements.lock").read_text(), re.M):
        found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


def asked_for(root: Path) -> list[Requirement]:
    found = []
    for path in [root / "pyproject.toml", *root.glob("plugins/*/pyproject.toml")]:
        data = tomllib.loads(path.read_text())
        project = data["project"]
        found += project.get("dependencies", [])
        found += [r for extra in project.get("optional-dependencies", {}).values() for r in extra]
        found += [r for group in data.get("dependency-groups", {}).values() for r in group]
    return [Requirement(text) for text in found if not text.startswith("flamenco-")]


def test_everything_that_is_asked_for_is_locked(root: Path, locked: dict[str, list[str]]) -> None:
    missing = []
    for requirement in asked_for(root):
        versions = locked.get(canonicalize_name(requirement.name), [])
        if not any(requirement.specifier.contains(v, prereleases=True) for v in versions):
            missing.append(str(requirement))
    assert missing == [], "run 'make lock'"


def test_everything_locked_has_hashes(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    blocks = re.findall(r"^[\w.-]+==.*(?:\n +.*)*", text, re.M)
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_plugins_declare_an_entry_point_named_after_them(root: Path) -> None:
    for path in root.glob("plugins/*/pyproject.toml"):
        data = tomllib.loads(path.read_text())["project"]
        name = data["name"].removeprefix("flamenco-")
        groups = data.get("entry-points", {})
        points = [point for group in groups.values() for point in group]
        assert set(groups) <= {"flamenco.manager", "flamenco.worker"}
        assert name in points, f"{path.parent.name}: the plugin's name is the entry point's"
        assert path.parent.name == f"flamenco_{name}"


def test_plugins_have_a_readme_and_tests(root: Path) -> None:
    for path in root.glob("plugins/*/pyproject.toml"):
        assert (path.parent / "README.md").read_text().strip(), path.parent.name
        assert list((path.parent / "tests").rglob("test_*.py")), path.parent.name


def test_this_python_is_supported() -> None:
    assert default_environment()["python_version"] >= "3.11"
