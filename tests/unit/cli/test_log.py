from __future__ import annotations


def test_a_log_is_printed_whole_and_only_once(flamenco, farm, facts):
    farm.add_job(facts.task())
    farm.logs[facts.TASK] = b"Fra:1\nFra:2\n" * 500
    assert flamenco("log", "3333").out == "Fra:1\nFra:2\n" * 500
    assert len(flamenco("log", "3333", "--tail").out) <= 2048


def test_a_task_without_a_log_prints_nothing(flamenco, farm, facts):
    farm.add_job(facts.task())
    outcome = flamenco("log", facts.TASK)
    assert (outcome.code, outcome.out) == (0, "")


def test_following_prints_what_is_added_until_the_task_ends(flamenco, farm, facts):
    task = facts.task()
    farm.add_job(task)
    chunks = [b"Fra:1 caf\xc3", b"\xa9\nFra:2\n", b"done\n"]
    farm.logs[facts.TASK] = b"start\n"

    def time_passes(path):
        if path.startswith("/files/"):
            if chunks:
                farm.logs[facts.TASK] += chunks.pop(0)
            else:
                task["status"] = "completed"

    farm.after = time_passes
    outcome = flamenco("log", facts.TASK, "--follow")
    assert outcome.code == 0
    assert outcome.out == "start\nFra:1 caf\u00e9\nFra:2\ndone\n"


def test_following_a_task_that_has_ended_ends(flamenco, farm, facts):
    farm.add_job(facts.task(status="failed"))
    farm.logs[facts.TASK] = b"all\n"
    assert flamenco("log", facts.TASK, "-f").out == "all\n"


def test_following_can_begin_with_the_last_lines(flamenco, farm, facts):
    farm.add_job(facts.task(status="completed"))
    farm.logs[facts.TASK] = b"x" * 5000 + b"\nlast\n"
    assert len(flamenco("log", facts.TASK, "-f", "--tail").out) == 2048
