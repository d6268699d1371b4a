"""The contract of job types, as tests to inherit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import pytest

from flamenco_core.errors import JobTypeError
from flamenco_core.offers.job_type import JobTypeLike
from flamenco_core.offers.python_job_type import JobType

if TYPE_CHECKING:
    from flamenco_core.testing.compiled import CompiledJob

__all__ = ["JobTypeContract"]


class JobTypeContract:
    """Subclass it as ``class TestDeliver(JobTypeContract)``, set *job_type* and *settings*.

    *settings* are ones that make a job, as the add-on would send them. *job_type* is a
    class, an object, or a script's file.
    """

    job_type: ClassVar[type[JobType] | JobTypeLike | Path]
    settings: ClassVar[Mapping[str, Any]]

    async def _compiled(self, settings: Mapping[str, Any] | None = None) -> CompiledJob:
        from flamenco_core.testing.compiling import compile_job

        given = self.settings if settings is None else settings
        return await compile_job(self.job_type, given)

    async def _shown(self) -> Any:
        from flamenco_core.testing.compiling import found_job_type
        from flamenco_core.wire.describe import available_job_type

        return available_job_type(await found_job_type(self.job_type))

    async def test_name_is_kebab_case_and_there_is_a_label(self) -> None:
        """Names on the wire are words with hyphens; people read the label."""
        shown = await self._shown()
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", shown.name)
        assert shown.label.strip()

    async def test_its_settings_are_what_clients_understand(self) -> None:
        """An unknown word makes Flamenco's add-on drop the whole list of job types."""
        shown = await self._shown()
        keys = [setting.key for setting in shown.settings]
        assert len(set(keys)) == len(keys)
        for setting in shown.settings:
            assert setting.key.isidentifier()
            assert setting.type in {"string", "int32", "float", "bool"}
            assert setting.choices is None or setting.type == "string"

    async def test_its_etag_stays_the_same(self) -> None:
        """Clients know by it whether their settings are the present ones."""
        assert (await self._shown()).etag == (await self._shown()).etag

    async def test_makes_tasks_of_its_settings(self) -> None:
        """Each task has a name, a type and something to do."""
        job = await self._compiled()
        assert job.tasks
        for task in job.tasks:
            assert task.name.strip()
            assert task.type.strip()
            assert task.commands

    async def test_commands_take_their_parameters(self) -> None:
        """A Worker with the plugins of this machine could run them; others it may not know."""
        from flamenco_core.testing.compiling import refused_commands

        assert not refused_commands(await self._compiled())

    async def test_makes_the_same_of_the_same(self) -> None:
        """Chance and the time of day have no place in a job type; ids do not count."""
        first, second = await self._compiled(), await self._compiled()
        assert _without_ids(first) == _without_ids(second)

    async def test_ids_of_tasks_do_not_repeat(self) -> None:
        """Not in a job, and not in the next one."""
        tasks = [*(await self._compiled()).tasks, *(await self._compiled()).tasks]
        ids = [task.id for task in tasks if task.id]
        assert len(set(ids)) == len(ids)

    async def test_asks_for_each_required_setting(self) -> None:
        """Whoever leaves one out is told which."""
        for setting in (await self._shown()).settings:
            if not setting.required or setting.default is not None:
                continue
            rest = {key: value for key, value in self.settings.items() if key != setting.key}
            with pytest.raises(JobTypeError, match=re.escape(setting.key)):
                await self._compiled(rest)


def _without_ids(job: CompiledJob) -> CompiledJob:
    return attrs.evolve(job, tasks=tuple(attrs.evolve(task, id="") for task in job.tasks))
