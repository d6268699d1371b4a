from __future__ import annotations

import pytest

UNKNOWN = "99999999-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def test_a_whole_id_is_asked_for_directly(flamenco, farm, facts):
    farm.add_job()
    assert flamenco("jobs", "show", facts.JOB.upper()).code == 0
    assert farm.requests[0].url.path == f"/api/v3/jobs/{facts.JOB}"


@pytest.mark.parametrize("command", [["jobs", "show"], ["tasks"], ["cancel"], ["pause"], ["log"]])
@pytest.mark.parametrize("id", [UNKNOWN, "9999", "99999999aa"])
def test_an_unknown_id_is_named(flamenco, farm, command, id):
    farm.add_job()
    outcome = flamenco(*command, id)
    assert outcome.code == 1
    assert id in outcome.err
    assert farm.told == []


def test_an_ambiguous_prefix_lists_what_it_can_be(flamenco, farm, facts):
    farm.add_job(id="1111aaaa" + facts.JOB[8:], name="first")
    farm.add_job(id="1111bbbb" + facts.JOB[8:], name="second")
    outcome = flamenco("jobs", "show", "1111")
    assert outcome.code == 1
    assert "first" in outcome.err
    assert "second" in outcome.err
    assert flamenco("jobs", "show", "1111b").code == 0


@pytest.mark.parametrize("text", ["abc", "", "my job", "../jobs", "%2e"])
def test_what_cannot_be_an_id_is_refused_without_asking(flamenco, farm, text):
    outcome = flamenco("jobs", "show", text)
    assert outcome.code == 1
    assert farm.requests == []


def test_a_short_prefix_of_a_job_and_a_task_acts_on_neither(flamenco, farm, facts):
    farm.add_job(facts.task(id="1111" + facts.TASK[4:]))
    outcome = flamenco("cancel", "1111")
    assert outcome.code == 1
    assert "2 things" in outcome.err
    assert farm.told == []


@pytest.mark.parametrize("text", ["3333", "33333333", "11111111/1", "1111/render-1-2", "1111/3333"])
def test_a_task_can_be_named_in_several_ways(flamenco, farm, facts, text):
    farm.add_job(facts.task())
    assert flamenco("cancel", text).code == 0
    assert farm.told[0][0] == f"/tasks/{facts.TASK}/setstatus"


@pytest.mark.parametrize("which", ["7", "nothing", ""])
def test_an_unknown_task_of_a_job_says_how_to_list_them(flamenco, farm, facts, which):
    farm.add_job(facts.task())
    outcome = flamenco("log", f"1111/{which}")
    assert outcome.code == 1
    assert "flamenco tasks 11111111" in outcome.err
