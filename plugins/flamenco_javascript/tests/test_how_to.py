"""The page on writing job types: its examples are the files beside it, and they work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-job-type.md"
SHOWN = re.compile(r"<!-- (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)


def test_the_page_shows_the_files_as_they_are() -> None:
    shown = {found["file"]: found["text"] for found in SHOWN.finditer(PAGE.read_text())}
    assert list(shown) == ["job-type/contact_sheet.js", "job-type/test_contact_sheet.py"]
    assert {name: (PAGE.parent / name).read_text() for name in shown} == shown


def test_the_tests_on_the_page_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir=.", "-o", "anyio_mode=auto", "."],
        cwd=PAGE.parent / "job-type", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[1-9]\d passed", done.stdout, re.MULTILINE), done.stdout
