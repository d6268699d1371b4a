"""Prepare .venv with everything that developing and trying Flamenco needs.

Run by any Python 3 (so types are in quotes), with nothing installed: it finds one that is
good enough, makes the environment, and installs what requirements.lock names, hashes checked.
When nothing has changed since the last time it does nothing. With --blender it also brings
Blender as a Python module when this machine has no Blender.
"""

import argparse
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "flamenco-setup.json"

# 3.11 and 3.13 first: Blender's Python module has wheels for these two only.
VERSIONS = ["3.11", "3.13", "3.12", "3.14"]
PROBE = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11); print(sys.executable)"
EDITABLE = [".[manager,postgresql,exr,testing]"]
PLUGIN_EXTRAS = {"flamenco_ffmpeg": "bundled"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Prepare .venv for Flamenco.")
    parser.add_argument("--blender", action="store_true", help="bring Blender if there is none")
    wanted = parser.parse_args()
    extras = ["bpy"] if wanted.blender and not has_blender() else []
    digest = digest_of_inputs()
    done = stamp()
    if (
        done.get("digest") == digest
        and set(extras) <= set(done.get("extras", []))
        and works(PYTHON)
    ):
        return
    extras = sorted({*extras, *done.get("extras", [])})
    make_environment()
    install_uv()
    install(extras)
    STAMP.write_text(json.dumps({"digest": digest, "extras": extras}))
    print("Ready: " + str(BIN / "flamenco"))


def digest_of_inputs() -> str:
    """Everything that decides what is installed, and where."""
    of_plugins = sorted(ROOT.glob("plugins/*/pyproject.toml"))
    files = [ROOT / "pyproject.toml", *of_plugins, LOCK, Path(__file__)]
    digest = hashlib.sha256(str(ROOT).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def stamp() -> "dict[str, Any]":
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# ------------------------------------------------------------------- finding a Python


def make_environment() -> None:
    if works(PYTHON):
        return
    python = good_python()
    if python is None:
        sys.exit(advice())
    print("Making .venv with " + python)
    run([python, "-m", "venv", "--clear", VENV])


def works(python: "Path | str") -> bool:
    """Really run it: a pyenv shim may be there for a version that is not."""
    try:
        done = subprocess.run(
            [str(python), "-c", PROBE],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def good_python() -> "str | None":
    names = ["python" + version for version in VERSIONS] + ["python3", "python"]
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    candidates = [str(Path(folder) / name) for name in names for folder in folders]
    if os.name == "nt":
        candidates = [sys.executable, *(candidate + ".exe" for candidate in candidates)]
    for candidate in [*candidates, sys.executable]:
        if Path(candidate).exists() and works(candidate):
            return candidate
    return None


def advice() -> str:
    lines = ["Flamenco needs Python 3.11 or newer with its 'venv' module; none was found."]
    if shutil.which("apt-get"):
        lines.append("Install it with: sudo apt-get install python3 python3-venv")
    elif sys.platform == "darwin":
        lines.append("Install it with: brew install python@3.13")
    else:
        lines.append("Install it with your system's packages, or from python.org.")
    return "\n".join(lines)


# ------------------------------------------------------------------- installing


def install_uv() -> None:
    """uv first, from the lock like all else; pip would need a minute for what follows."""
    block = re.search(r"^uv==.*(?:\n +.*)*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if block is None:
        sys.exit("requirements.lock does not name uv; run 'make lock' where uv is installed")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "uv.txt"
        file.write_text(block[0] + "\n")
        pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run([*pip, "--require-hashes", "--no-deps", "-r", file])


def install(extras: "list[str]") -> None:
    command: list[object] = [BIN / "uv", "pip", "install", "--python", PYTHON, "--group", "dev"]
    # Hashes of constraints are checked too, for builds as well as for what is installed.
    command += ["--constraints", LOCK, "--build-constraints", LOCK]
    for target in [*EDITABLE, *plugins(extras)]:
        command += ["--editable", target]
    run(command, env=uv_environment())


def plugins(extras: "list[str]") -> "Iterator[str]":
    for folder in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        name = folder.parent.name
        names = [PLUGIN_EXTRAS[name]] if name in PLUGIN_EXTRAS else []
        names += extras if name == "flamenco_blender" else []
        yield "./plugins/" + name + ("[" + ",".join(names) + "]" if names else "")


def uv_environment() -> "dict[str, str]":
    """uv does not read pip's settings; a studio's own package index is there."""
    env = dict(os.environ)
    for key, variable in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX")):
        found = subprocess.run(
            [str(PYTHON), "-m", "pip", "config", "get", "global." + key],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            text=True,
        )
        value = os.environ.get("PIP_" + key.upper().replace("-", "_")) or found.stdout.strip()
        if value and variable not in env:
            env[variable] = value
    return env


def run(command: "list[object]", env: "dict[str, str] | None" = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=str(ROOT), env=env, check=False)
    if done.returncode:
        sys.exit(done.returncode)


# ------------------------------------------------------------------- Blender


def has_blender() -> bool:
    """Say whether this machine has a Blender to render with."""
    if os.environ.get("FLAMENCO_BLENDER") or shutil.which("blender"):
        return True
    places = [
        "/Applications/Blender.app/Contents/MacOS/Blender",
        os.path.expandvars(r"%ProgramFiles%\Blender Foundation\Blender *\blender.exe"),
    ]
    return any(glob.glob(place) for place in places)  # noqa: PTH207 (absolute patterns)


if __name__ == "__main__":
    main()
