from __future__ import annotations

from flamenco_core import Action, Identity

NOBODY, ADA = Identity(), Identity(kind="person", id="1", name="ada")


async def problems(plugins, identity: Identity, operation: str) -> list[str]:
    action = Action(operation, "job")
    found = await plugins.check("check_access", identity=identity, action=action, manager=None)
    return [problem.message for problem in found]


async def test_the_example_lets_only_people_delete_jobs(load, example) -> None:
    plugins = load("manager", example("check_access"))
    assert await problems(plugins, NOBODY, "deleteJob") == ["log in to delete jobs"]
    assert await problems(plugins, ADA, "deleteJob") == []
    assert await problems(plugins, NOBODY, "queryJobs") == []


async def test_without_plugins_everything_is_allowed(load) -> None:
    assert await problems(load("manager"), NOBODY, "deleteJob") == []


async def test_a_broken_rule_closes_the_door(load, implementing) -> None:
    def check_access(identity: Identity) -> None:
        raise LookupError("no such role")

    (message,) = await problems(
        load("manager", implementing("roles", check_access=check_access)), ADA, "queryJobs"
    )
    assert "plugin 'roles' failed in check_access" in message
