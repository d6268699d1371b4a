"""The plugin ``blender`` of the Worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flamenco_blender.command import BlenderRender
from flamenco_blender.finder import ENVIRONMENT, BlenderFinder
from flamenco_blender.program import find_program
from flamenco_blender.settings import BlenderSettings
from flamenco_blender.trial import TRIAL
from flamenco_core import Command, Problem, hookimpl
from flamenco_core.offers import Subcommand, Trial

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = [
    "check_readiness",
    "find_program",
    "register_commands",
    "register_subcommands",
    "register_trials",
]


@hookimpl
def register_commands(worker: Worker) -> list[type[Command]]:
    """Offer ``blender-render``."""
    return [BlenderRender.found_by(_finder(worker))]


@hookimpl
async def check_readiness(worker: Worker) -> list[Problem]:
    """Say that there is no Blender, and how to get one."""
    finder = _finder(worker)
    if await finder.find():
        return []
    tried = "; ".join(finder.complaints) or f"not in the settings, {ENVIRONMENT} or PATH"
    cure = "install Blender, set plugins.blender.exe in the Worker's settings"
    wheel = "or pip install 'flamenco-blender[bpy]'"
    return [Problem(f"no Blender found ({tried}): {cure}, {wheel}", affects=("blender",))]


@hookimpl
def register_subcommands() -> list[Subcommand]:
    """Offer ``flamenco blender-info``."""
    return [Subcommand("blender-info", "Show which Blender tasks would use.", _blender_info)]


@hookimpl
def register_trials() -> list[Trial]:
    """Offer a tiny picture, to check this machine with."""
    return [TRIAL]


def _blender_info() -> Any:
    from flamenco_blender.info import blender_info

    return blender_info


def _finder(worker: Worker) -> BlenderFinder:
    return BlenderFinder(exe=worker.settings_of("blender", BlenderSettings).exe)
