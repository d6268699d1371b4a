"""The plugin's half for the Manager."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flamenco_core import hookimpl
from flamenco_javascript.check import check_script
from flamenco_javascript.compiler import Compiler
from flamenco_javascript.job_types import ScriptJobType, ScriptJobTypes
from flamenco_javascript.settings import Settings

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["find_job_type", "register_job_types"]


@hookimpl
def register_job_types(manager: Manager) -> list[ScriptJobTypes]:
    """Offer the scripts in the folders that the settings name, as these are at the time."""
    job_types = ScriptJobTypes((), Compiler(Settings()), manager.clock, manager.new_id)
    job_types.follow(manager.follow_settings("javascript", Settings, job_types.follow))
    return [job_types]


@hookimpl
async def find_job_type(path: Path) -> ScriptJobType | None:
    """Check a script."""
    return await check_script(path) if path.suffix == ".js" else None
