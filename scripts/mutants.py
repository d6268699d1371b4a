"""Take away one guard at a time, and see whether the tests notice.

    python scripts/mutants.py [NAME ...]

The guards are in ``tests/mutants.toml``. Each is taken out of a copy of the project, never out
of the project itself. Ends with 1 if the tests pass without a guard: then nothing keeps it there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "mutants.toml"
LONGEST = 180.0
"""Seconds; a farm without a guard may wait for ever."""
FOUND, NOTHING_RAN = 1, 5
"""What pytest ends with when a test fails, and when it has found none."""


@attrs.frozen(kw_only=True)
class Guard:
    """A text of one file, what stands there without the guard, and the tests to ask."""

    name: str
    file: str
    old: str
    new: str
    tests: list[str]


def read_guards(path: Path = LIST) -> list[Guard]:
    """Read the list; raises ValueError if a guard is not where it should be."""
    guards = [Guard(**entry) for entry in tomllib.loads(path.read_text())["guard"]]
    for guard in guards:
        count = (ROOT / guard.file).read_text().count(guard.old)
        if count != 1:
            raise ValueError(f"{guard.name}: its text is {count} times in {guard.file}, not once")
    return guards


def main(names: list[str]) -> int:
    guards = [guard for guard in read_guards() if not names or guard.name in names]
    if unknown := set(names) - {guard.name for guard in guards}:
        sys.exit(f"no guard is called {', '.join(sorted(unknown))}; see {LIST.name}")
    with tempfile.TemporaryDirectory(prefix="flamenco-mutants-") as folder:
        copy = copied(Path(folder) / ROOT.name)
        if said := unharmed(copy, guards):
            sys.exit(f"the tests fail with all guards in place:\n{said}")
        missed = [guard.name for guard in guards if not is_caught(copy, guard)]
    print(f"{len(guards) - len(missed)} of {len(guards)} are caught")
    return 1 if missed else 0


def copied(target: Path) -> Path:
    for name in ("conftest.py", "pyproject.toml", "README.md", "LICENSE"):
        target.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, target)
    for name in ("flamenco_core", "plugins", "tests", "examples", "scripts", "docs"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def unharmed(copy: Path, guards: list[Guard]) -> str:
    """Run all the tests that will be asked; return what they say if one fails."""
    tests = dict.fromkeys(test for guard in guards for test in guard.tests)
    done = run(copy, [*tests])
    return "" if done.returncode == 0 else done.stdout[-3000:]


def is_caught(copy: Path, guard: Guard) -> bool:
    path = copy / guard.file
    whole = path.read_text()
    path.write_text(whole.replace(guard.old, guard.new))
    started = time.monotonic()
    try:
        done = run(copy, guard.tests)
        caught, by = done.returncode == FOUND, first_failure(done.stdout)
        if done.returncode not in (0, FOUND):
            by = f"pytest ended with {done.returncode}: {done.stdout[-300:]}"
    except subprocess.TimeoutExpired:
        caught, by = True, "the tests came to no end"
    finally:
        path.write_text(whole)
    took = time.monotonic() - started
    print(f"{'caught' if caught else 'MISSED':7} {guard.name:34} {took:5.1f} s  {by}", flush=True)
    return caught


def run(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    # The copy comes first, before what is installed; nothing may be left of an earlier run.
    packages = [copy, *(copy / "plugins").iterdir()]
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command,
        check=False,
        cwd=copy,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=None if len(tests) > 9 else LONGEST,
    )


def first_failure(said: str) -> str:
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return found[1].rpartition("/")[2] if found else ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
