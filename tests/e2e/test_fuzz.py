"""A few of the requests of `make fuzz`, which nobody foresaw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def test_no_request_makes_a_manager_answer_what_its_document_does_not_have(
    repository: Path,
) -> None:
    program = [sys.executable, repository / "scripts" / "fuzz.py", "--cases", "200"]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
