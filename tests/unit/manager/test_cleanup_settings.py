from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flamenco_core.domain.retention import Rule
from flamenco_core.errors import ConfigError
from flamenco_core.manager.settings import load_manager_settings


def load(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text(f"_meta: {{version: 3}}\n{text}")
    return load_manager_settings(file, environ={}).settings.cleanup


def test_nothing_goes_by_itself_unless_somebody_says_so(tmp_path) -> None:
    found = load(tmp_path, "")
    assert (found.enabled, found.rules, found.archive_path) == (False, (), None)


def test_rules_are_read_in_their_order(tmp_path) -> None:
    found = load(
        tmp_path,
        """
cleanup:
  enabled: true
  archive_path: kept
  rules:
    - {job_type: preview, status: [completed, canceled], after: 2d}
    - tag: feature
      after: never
    - {status: failed, after: 12h}
""",
    )
    assert found.rules == (
        Rule(job_type="preview", statuses=("completed", "canceled"), seconds=172_800),
        Rule(tag="feature"),
        Rule(statuses=("failed",), seconds=43_200),
    )
    assert found.archive_path == tmp_path / "kept"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("30d", "must be a list of rules"),
        ("[30d]", "must be a rule, such as"),
        ("[{job_type: x}]", "has no 'after'"),
        ("[{after: soon}]", "must be an age such as 30d"),
        ("[{after: [1d]}]", "must be an age such as 30d"),
        ("[{after: 1d, job-type: x}]", "unknown key 'job-type'; a rule has job_type, tag"),
        ("[{after: 1d, status: [active]}]", "status must be among canceled, completed, failed"),
        ("[{after: 1d, tag: [a]}]", "tag must be a text"),
    ],
)
def test_a_wrong_rule_is_named_with_file_and_line(tmp_path, rules, words) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, f"cleanup: {{rules: {rules}}}")
    assert words in str(raised.value)
    assert "flamenco-manager.yaml:2" in str(raised.value)
