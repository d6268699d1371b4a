from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "touch_plugin"


def test_a_new_plugin_is_the_documented_three_files(flamenco, tmp_path):
    assert flamenco("new-plugin", "touch", "--in", tmp_path).code == 0
    made = tmp_path / "flamenco-touch"
    names = {str(f.relative_to(made)) for f in made.rglob("*") if f.is_file()}
    assert names == {"pyproject.toml", "flamenco_touch.py", "tests/test_touch.py"}
    for name in names:
        assert (made / name).read_text() == (EXAMPLE / name).read_text(), name


def test_its_own_test_passes(flamenco, tmp_path):
    flamenco("new-plugin", "make-proxy", "--in", tmp_path)
    made = tmp_path / "flamenco-make-proxy"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_its_project_file_names_the_entry_point(flamenco, tmp_path):
    flamenco("new-plugin", "make-proxy", "--in", tmp_path)
    text = (tmp_path / "flamenco-make-proxy" / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    assert project["name"] == "flamenco-make-proxy"
    assert project["entry-points"]["flamenco.worker"] == {"make-proxy": "flamenco_make_proxy"}


def test_nothing_is_written_over(flamenco, tmp_path):
    flamenco("new-plugin", "touch", "--in", tmp_path)
    outcome = flamenco("new-plugin", "touch", "--in", tmp_path)
    assert outcome.code == 1
    assert "flamenco-touch" in outcome.err


@pytest.mark.parametrize(
    "name", ["", "Touch", "my_plugin", "-x", "x-", "a--b", "1st", "../up", "class", "run", "a" * 51]
)
def test_a_wrong_name_is_refused(flamenco, tmp_path, name):
    outcome = flamenco("new-plugin", "--in", tmp_path, "--", name)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_plugin_is_refused(flamenco, tmp_path):
    assert "installed" in flamenco("new-plugin", "core", "--in", tmp_path).err
