from __future__ import annotations

from pathlib import Path

import pytest

TESTS = """
import pytest

def test_runs(): ...

@pytest.mark.skip(reason="{reason}")
def test_skipped(): ...

@pytest.mark.xfail
def test_known_to_fail(): assert False
"""


@pytest.fixture
def run(pytester: pytest.Pytester, repository: Path, monkeypatch: pytest.MonkeyPatch):
    rules = (repository / "conftest.py").read_text()
    pytester.makeconftest(rules.replace('"pytester", ', ""))
    monkeypatch.setenv("FLAMENCO_NO_SKIPS", "1")

    def run(text: str, **files: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text, **files)
        return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    return run


def test_a_skipped_test_fails_the_run_and_is_named(run) -> None:
    result = run(TESTS.format(reason="no GPU"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*FLAMENCO_NO_SKIPS forbids*", "*test_skipped: no GPU"])


def test_a_skipped_module_fails_the_run(run) -> None:
    result = run(TESTS.format(reason="x") + "\npytest.importorskip('no_such_module_at_all')\n")
    assert result.ret != pytest.ExitCode.OK


def test_missing_reference_data_does_not(run) -> None:
    assert run(TESTS.format(reason="reference data: not here")).ret == pytest.ExitCode.OK


def test_without_the_variable_skips_are_fine(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLAMENCO_NO_SKIPS")
    assert run(TESTS.format(reason="no GPU")).ret == pytest.ExitCode.OK


def test_the_fast_tests_come_first(pytester: pytest.Pytester, repository: Path) -> None:
    rules = (repository / "conftest.py").read_text()
    pytester.makeconftest(rules.replace('"pytester", ', ""))
    for folder in ("e2e", "unit", "integration", "contract"):
        pytester.mkdir(folder).joinpath(f"test_{folder}.py").write_text("def test_it(): ...\n")
    result = pytester.runpytest_inprocess("-v", "-p", "no:randomly")
    order = [line.split("/")[0] for line in result.outlines if "::test_it PASSED" in line]
    assert order == ["unit", "contract", "integration", "e2e"]
