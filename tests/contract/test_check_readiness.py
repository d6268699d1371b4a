from __future__ import annotations

from flamenco_core import Problem


async def test_the_example_takes_only_blender_away(load, example) -> None:
    module = example("check_readiness")
    module.NEEDED = 2**63
    (problem,) = await load("worker", module).check("check_readiness", worker=None)
    assert problem.affects == ("blender",)
    module.NEEDED = 0
    assert await load("worker", module).check("check_readiness", worker=None) == []


async def test_a_check_that_raises_affects_everything(load, implementing) -> None:
    def check_readiness() -> list[Problem]:
        raise OSError("no such share")

    plugins = load("worker", implementing(check_readiness=check_readiness))
    (problem,) = await plugins.check("check_readiness", worker=None)
    assert problem.affects == ()
    assert "no such share" in problem.message
