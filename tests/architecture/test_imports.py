"""Which library is used where; `lint-imports` checks our own packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MANAGER = ("flamenco_core/manager/",)
MANAGER_HALVES = tuple(
    f"plugins/flamenco_{name}/flamenco_{name}/"
    for name in ("auth", "blender", "notify", "shaman", "webui")
)
HOME = {
    "alembic": ("flamenco_core/manager/store/",),
    "apprise": ("plugins/flamenco_notify/",),
    "click": ("flamenco_core/cli/", "plugins/"),
    "bpy": ("plugins/flamenco_blender/", "flamenco_core/cli/"),
    "ifaddr": ("flamenco_core/builtin/own_addresses.py",),
    "litestar": (
        *MANAGER,
        *MANAGER_HALVES,
        "flamenco_core/testing/",
        # Routes of built-in plugins.
        "flamenco_core/builtin/metrics.py",
        "flamenco_core/builtin/upnp_description.py",
    ),
    "pluggy": (
        "flamenco_core/hookspecs.py",
        "flamenco_core/hook_rules.py",
        "flamenco_core/plugins.py",
    ),
    "prometheus_client": ("flamenco_core/builtin/prometheus_text.py",),
    "psycopg": ("flamenco_core/manager/store/",),
    "pydantic": (),
    "pytest": ("flamenco_core/testing/",),
    "py_mini_racer": ("plugins/flamenco_javascript/",),
    "rich": ("flamenco_core/cli/",),
    "ruamel": ("flamenco_core/config/",),
    "sqlalchemy": (
        "flamenco_core/manager/store/",
        "flamenco_core/manager/usecases/",
        "plugins/flamenco_auth/",
    ),
    "uvicorn": ("flamenco_core/cli/", *MANAGER),
    "zeroconf": ("flamenco_core/builtin/zeroconf",),
}
# The domain knows no clock, no files, no network and no waiting.
PURE = {
    *("__future__", "attrs", "bisect", "collections", "contextlib", "dataclasses", "datetime"),
    *("decimal", "enum", "flamenco_core", "fractions", "functools", "heapq", "itertools", "json"),
    *("math", "operator", "re", "shlex", "string", "types", "typing", "zoneinfo"),
}


def imports(source: Any, *, at_run_time: bool = True) -> list[str]:
    """Return the modules that a file imports; those for annotations are left out."""
    skipped = set()
    for node in ast.walk(source.tree):
        if at_run_time and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            skipped |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    found = []
    for node in ast.walk(source.tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return found


@pytest.mark.parametrize("library", sorted(HOME))
def test_a_library_is_imported_in_its_own_place_only(product: list[Any], library: str) -> None:
    wrong = [
        source.name
        for source in product
        if any(name.split(".")[0] == library for name in imports(source))
        and not source.name.startswith(HOME[library] or ("nowhere",))
    ]
    assert wrong == []


def test_the_domain_is_pure(product: list[Any]) -> None:
    wrong = {
        source.name: sorted(bad)
        for source in product
        if source.name.startswith("flamenco_core/domain/")
        if (bad := {name.split(".")[0] for name in imports(source)} - PURE)
    }
    assert wrong == {}


def test_the_domain_never_waits(product: list[Any]) -> None:
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert [
        source.name
        for source in product
        if source.name.startswith("flamenco_core/domain/")
        and any(isinstance(node, waits) for node in ast.walk(source.tree))
    ] == []


@pytest.mark.parametrize("module", ["flamenco_core.worker.app", "flamenco_core.cli"])
def test_a_worker_is_not_burdened_with_the_managers_libraries(module: str, root: Path) -> None:
    heavy = "{'litestar', 'sqlalchemy', 'alembic', 'uvicorn', 'psycopg'}"
    code = f"import {module}, sys; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == ""


def test_importing_the_plugin_authors_world_is_light(root: Path) -> None:
    code = (
        "import sys\n"
        "from flamenco_core import Command, Run, hookimpl\n"
        "heavy = {'httpx', 'zeroconf', 'litestar', 'sqlalchemy', 'ruamel'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == ""
