"""Rules for every test run, of the core and of the plugins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = [
    "pytester",
    "flamenco_core.testing.answers",
    "flamenco_core.testing.postgresql",
]

# The fast ones first: what is broken shows early.
STAGES = ("unit", "contract", "architecture", "integration", "e2e")
# Tests against large reference files that are not part of this repository may be left out.
ALLOWED = "reference data"


def stage(item: pytest.Item) -> int:
    parts = item.path.parts
    found = [number for number, name in enumerate(STAGES) if name in parts]
    return max(found, default=STAGES.index("integration"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=stage)  # stable: the order inside of a stage stays random


class NoSkips:
    """Fails the run when a test was skipped: what did not run was not tested."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED):
            self.skipped.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped, which FLAMENCO_NO_SKIPS forbids", red=True)
            for line in self.skipped:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("FLAMENCO_NO_SKIPS"):
        config.pluginmanager.register(NoSkips(), "no-skips")


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent
