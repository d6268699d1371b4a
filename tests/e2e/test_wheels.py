"""What is published: wheels, in an environment that has nothing but what they ask for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.e2e

PACKAGES = (
    ".",
    "plugins/flamenco_blender",
    "plugins/flamenco_ffmpeg",
    "plugins/flamenco_javascript",
    "examples/touch_plugin",
)
EXTRAS = {"flamenco-core": ("manager", "testing")}


class Environment:
    """A virtual environment; it sees nothing of the one that the tests run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uv("venv", "--offline", "--python", sys.executable, str(folder))
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.site = Path(self.run(self.python, "-c", where).strip())

    def uv(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "uv", *arguments)

    def install(self, *wheels: Path) -> None:
        arguments = ("--offline", "--no-deps", "--python", str(self.python))
        self.uv("pip", "install", *arguments, *map(str, wheels))

    def bring(self, found: Distribution) -> None:
        """Let a package be here that is installed where the tests run."""
        for file in found.files or ():
            top = file.parts[0]
            # Programs, and compiled files of single modules, are nothing to import.
            if top in ("..", "__pycache__") or (self.site / top).exists():
                continue
            source = Path(str(found.locate_file(top)))
            if top.endswith(".dist-info"):
                shutil.copytree(source, self.site / top)  # uv takes links for no packages
            else:
                (self.site / top).symlink_to(source)

    def run(self, *command: object, cwd: Path | None = None, code: int = 0) -> str:
        kept = ("PATH", "HOME", "SYSTEMROOT", "TMPDIR", "TEMP")
        env = {key: value for key, value in os.environ.items() if key in kept}
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd or self.folder.parent,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def flamenco(self, *arguments: object, code: int = 0, cwd: Path | None = None) -> str:
        return self.run(self.bin / "flamenco", *arguments, code=code, cwd=cwd)

    def pytest(self, folder: Path) -> str:
        return self.run(self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


def needed(names: Sequence[str], extras: dict[str, Sequence[str]]) -> Iterator[Distribution]:
    """Yield the packages that *names* ask for, and those that these ask for in turn."""
    waiting = [(name, tuple(extras.get(name, ()))) for name in names]
    seen = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # a plugin of the examples: its wheel says what it needs
        if not name.startswith("flamenco"):
            yield found
        for line in found.requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in ("", *wanted)):
                waiting.append((requirement.name.lower(), tuple(sorted(requirement.extras))))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory, repository) -> dict[str, Path]:
    """Build all wheels; return them by the name of their distribution."""
    folder = tmp_path_factory.mktemp("wheels")

    def build(package: str) -> None:
        build_wheel(repository / package, folder)

    with ThreadPoolExecutor(2) as pool:
        [*pool.map(build, PACKAGES)]
    return {file.name.partition("-")[0].replace("_", "-"): file for file in folder.glob("*.whl")}


def build_wheel(package: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "uv", "build", "--wheel", "--offline"]
    command += ["--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
    done = subprocess.run(
        [*command, str(package)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def made(folder: Path, wheels: dict[str, Path], extras: dict[str, Sequence[str]]) -> Environment:
    environment = Environment(folder)
    environment.install(*wheels.values())
    for package in needed([*wheels], extras):
        environment.bring(package)
    return environment


@pytest.fixture(scope="module")
def environment(tmp_path_factory, wheels) -> Environment:
    return made(tmp_path_factory.mktemp("user") / "venv", wheels, EXTRAS)


def test_what_the_wheels_ask_for_is_all_that_there_is(environment, repository):
    environment.uv("pip", "check", "--python", str(environment.python))
    script = """
        import importlib.util, json, sys
        names = ("flamenco_core", "flamenco_blender", "flamenco_ffmpeg", "flamenco_touch")
        where = {name: importlib.util.find_spec(name).origin for name in names}
        known = ("mypy", "hypothesis", "bpy", "ruff", "OpenEXR")
        alien = [name for name in known if importlib.util.find_spec(name)]
        print(json.dumps([where, sys.path, alien]))
    """
    lines = "\n".join(line.strip() for line in script.splitlines())
    where, path, alien = json.loads(environment.run(environment.python, "-Ic", lines))
    assert {Path(file).parents[1] for name, file in where.items() if name != "flamenco_touch"} == {
        environment.site
    }
    assert [part for part in path if Path(part).resolve().is_relative_to(repository)] == []
    assert alien == []


def test_the_wheels_hold_what_is_no_module(environment):
    site = environment.site
    assert (site / "flamenco_core" / "py.typed").is_file()
    assert [*(site / "flamenco_core").rglob("migrations/versions/*.py")]
    assert (site / "flamenco_blender" / "demo_scene.py").is_file()
    assert [*(site / "flamenco_javascript").rglob("*.js")]
    strangers = [p for p in site.iterdir() if p.name in ("tests", "docs", "plugins", "scripts")]
    assert strangers == []


def test_the_touch_plugin_passes_its_own_test(environment, repository, tmp_path):
    folder = tmp_path / "touch"
    shutil.copytree(repository / "examples" / "touch_plugin" / "tests", folder / "tests")
    shutil.copy(repository / "examples" / "touch_plugin" / "pyproject.toml", folder)
    assert "1 passed" in environment.pytest(folder)


def test_what_is_installed_is_listed(environment):
    plugins = {p["name"]: p for p in json.loads(environment.flamenco("plugins", "--json"))}
    assert {"blender", "ffmpeg", "javascript", "touch"} <= set(plugins)
    assert [p for p in plugins.values() if p["error"]] == []
    commands = environment.flamenco("commands")
    for name in ("touch", "blender-render", "frames-to-video", "echo", "copy-file"):
        assert name in commands


def test_a_new_plugin_passes_its_test_and_becomes_a_wheel(environment, tmp_path):
    environment.flamenco("new-plugin", "make-proxy", cwd=tmp_path)
    folder = tmp_path / "flamenco-make-proxy"
    assert "1 passed" in environment.pytest(folder)
    build_wheel(folder, tmp_path)
    environment.install(*tmp_path.glob("*.whl"))
    assert "make-proxy" in environment.flamenco("commands")


def test_a_farm_of_the_wheels_runs_a_job(environment, make_farm):
    farm = make_farm(flamenco=[str(environment.bin / "flamenco")])
    manager, worker = farm.manager(), farm.worker()
    job = {"message": "from the wheels", "sleep_duration_seconds": 0, "sleep_repeats": 1}
    id = farm.ready().post_job("echo-sleep-test", job)
    farm.until_status(id, "completed")
    assert "from the wheels" in farm.log_of(id, farm.tasks(id)[0]["id"])
    listed = {plugin["name"] for plugin in farm.get("/api/v3/plugins")["plugins"]}
    assert {"blender", "javascript"} <= listed
    assert worker.end() == 1
    assert manager.end() == 0
    assert "Traceback" not in worker.said() + manager.said()


def test_a_worker_needs_nothing_of_a_manager(wheels, tmp_path):
    core = {"flamenco-core": wheels["flamenco-core"]}
    environment = made(tmp_path / "venv", core, {})
    assert not (environment.site / "litestar").exists()
    environment.uv("pip", "check", "--python", str(environment.python))
    assert "echo" in environment.flamenco("commands")
    said = environment.flamenco("manager", code=1)
    assert "pip install 'flamenco-core[manager]'" in said
