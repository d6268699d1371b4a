from __future__ import annotations

from flamenco_core.domain.variables import VariableTable
from flamenco_core.offers import Variable, VariableValue


def test_the_example_is_understood_on_both_platforms(load, example) -> None:
    plugins = load("manager", example("register_variables"))
    variables = plugins.registered("register_variables", manager=None).values()
    table = VariableTable(variables, "linux")
    assert table.recognize("T:\\wood.png", "windows") == "{textures}\\wood.png"
    assert table.expand_text("{textures}\\wood.png", "workers", "linux") == "/mnt/textures/wood.png"


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_submitted_path_is_translated_for_workers(manager, example) -> None:
    async with manager([example("register_variables")]) as running:
        job = await running.submit(
            "echo-sleep-test", {"message": "T:\\wood.png"}, submitter_platform="windows"
        )
        assert (await running.job(job))["settings"]["message"] == "{textures}\\wood.png"
        url = "/api/v3/configuration/variables/workers/linux"
        assert (await running.client.get(url)).json()["textures"]["value"] == "/mnt/textures"


async def test_the_settings_win_over_plugins(manager, example) -> None:
    mine = Variable(name="textures", values=(VariableValue(value="/elsewhere"),))
    settings = {"variables": (mine,)}
    async with manager([example("register_variables")], settings=settings) as running:
        url = "/api/v3/configuration/variables/workers/linux"
        assert (await running.client.get(url)).json()["textures"]["value"] == "/elsewhere"


async def test_jobs_is_the_storage_whatever_the_settings_say(manager) -> None:
    mine = Variable(name="jobs", values=(VariableValue(value="/elsewhere"),))
    async with manager(settings={"variables": (mine,)}) as running:
        url = "/api/v3/configuration/variables/workers/linux"
        value = (await running.client.get(url)).json()["jobs"]["value"]
        assert value == running.manager.storage.location
