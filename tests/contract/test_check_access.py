from __future__ import annotations

from flamenco_core import Action, Identity, Problem

NOBODY, OPS = Identity(), Identity(kind="person", id="1", name="ops")


async def problems(plugins, identity: Identity, operation: str) -> list[str]:
    action = Action(operation, "job")
    found = await plugins.check("check_access", identity=identity, action=action, manager=None)
    return [problem.message for problem in found]


async def test_the_example_lets_only_people_delete_jobs(load, example) -> None:
    plugins = load("manager", example("check_access"))
    assert await problems(plugins, NOBODY, "deleteJob") == ["log in to delete jobs"]
    assert await problems(plugins, OPS, "deleteJob") == []
    assert await problems(plugins, NOBODY, "queryJobs") == []


async def test_without_plugins_everything_is_allowed(load) -> None:
    assert await problems(load("manager"), NOBODY, "deleteJob") == []


async def test_a_broken_rule_closes_the_door(load, implementing) -> None:
    def check_access(identity: Identity) -> None:
        raise LookupError("no such role")

    (message,) = await problems(
        load("manager", implementing("roles", check_access=check_access)), OPS, "queryJobs"
    )
    assert "plugin 'roles' failed in check_access" in message


# -- in a Manager ----------------------------------------------------------------------------


async def test_all_problems_are_told(manager, implementing) -> None:
    one = implementing("one", check_access=lambda: [Problem("not on Sundays")])
    two = implementing("two", check_access=lambda: [Problem("not without a hat")])
    async with manager([one, two]) as running:
        answer = await running.client.get("/api/v3/jobs")
    assert answer.status_code == 403
    for words in ("security requirements failed", "not on Sundays", "not without a hat"):
        assert words in answer.json()["message"]


async def test_it_is_told_the_operation_and_its_subject(manager, implementing) -> None:
    seen: list[Action] = []
    plugin = implementing(check_access=lambda action: seen.append(action))
    job = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    async with manager([plugin]) as running:
        await running.client.get(f"/api/v3/jobs/{job}")
        await running.client.get("/api/v3/jobs")
    assert seen == [Action("fetchJob", job), Action("fetchJobs", "")]


async def test_a_rule_that_raises_closes_the_door(manager, implementing, caplog) -> None:
    async def check_access() -> None:
        raise LookupError("no such role")

    async with manager([implementing("roles", check_access=check_access)]) as running:
        answer = await running.client.get("/api/v3/version")
    assert answer.status_code == 403
    assert "'roles' failed" in answer.json()["message"]


async def test_nothing_happens_before_it(manager, implementing) -> None:
    plugin = implementing(check_access=lambda: [Problem("closed")])
    async with manager([plugin]) as running:
        headers = {"Content-Type": "text/plain"}
        answer = await running.client.post("/api/v3/jobs", content=b"x" * 9, headers=headers)
        assert answer.status_code == 403
