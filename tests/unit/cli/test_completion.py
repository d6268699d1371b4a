from __future__ import annotations

import httpx
import pytest

from flamenco_core.cli.border import run
from flamenco_core.cli.context import Cli


@pytest.fixture
def complete(monkeypatch, capsys, farm):
    """Press Tab after some words; return what is offered."""

    def complete(*words: str, transport=None):
        monkeypatch.setenv("_FLAMENCO_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(("flamenco", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit):
            run([], Cli(transport=transport or httpx.MockTransport(farm)))
        lines = capsys.readouterr().out.split()
        return [line.partition(",")[2] for line in lines]

    return complete


def test_commands_are_completed_without_asking_anybody(complete, farm):
    assert complete("jo") == ["jobs", "job-types"]
    assert farm.requests == []


def test_options_and_their_values_are_completed(complete):
    assert "--status" in complete("jobs", "--st")
    assert complete("jobs", "--status", "can") == ["canceled", "cancel-requested"]


@pytest.mark.parametrize("words", [["cancel"], ["tasks"], ["jobs", "show"], ["requeue"]])
def test_ids_of_jobs_are_completed(complete, farm, facts, words):
    farm.add_job()
    farm.add_job(id=facts.OTHER_JOB)
    assert complete(*words, "2222") == [facts.OTHER_JOB]


def test_job_types_are_completed(complete, farm):
    farm.add_job_type("simple-blender-render")
    farm.add_job_type("echo")
    assert complete("submit", "--type", "s") == ["simple-blender-render"]
    assert complete("job-types", "show", "e") == ["echo"]


def test_the_manager_of_the_command_line_is_asked(complete, farm):
    complete("cancel", "--manager", "http://far:9", "1")
    assert farm.requests[0].url.host == "far"


def test_a_manager_that_does_not_answer_completes_nothing(complete):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    assert complete("cancel", "1", transport=httpx.MockTransport(refuse)) == []


def test_nobody_waits_longer_than_a_second(complete, farm):
    complete("cancel", "1")
    assert set(farm.requests[0].extensions["timeout"].values()) == {1.0}
