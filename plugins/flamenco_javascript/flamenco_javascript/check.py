"""Try one script without a Manager: for the people who write them."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from flamenco_core.clock import new_id
from flamenco_core.errors import JobTypeError
from flamenco_javascript.compiler import Compiler
from flamenco_javascript.folder import read_script
from flamenco_javascript.job_types import ScriptJobType, describe
from flamenco_javascript.settings import Settings

__all__ = ["check_script"]


async def check_script(path: Path, settings: Settings | None = None) -> ScriptJobType:
    """Return the job type that a script defines.

    Raises `JobTypeError` that says what is wrong with the script, and where.
    """
    if path.suffix != ".js":
        raise JobTypeError(f"{path.name}: the name of a script ends in .js")
    script = await anyio.to_thread.run_sync(read_script, path)
    compiler = Compiler(settings or Settings())
    return await describe(script, compiler, new_id)
