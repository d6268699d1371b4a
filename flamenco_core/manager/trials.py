"""Test workers: prepare what they are to do, and look at what they have made."""

from __future__ import annotations

import base64
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.errors import Busy, Conflict, FlamencoError
from flamenco_core.manager.first_start.patience import within
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases import trials
from flamenco_core.manager.usecases.report import Report
from flamenco_core.offers.trial import Trial
from flamenco_core.pictures.kinds import media_type_of

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Trials"]

log = logging.getLogger(__name__)

FOLDER = ".worker-tests"
"""In the job storage; nothing of it is left when a test has ended."""
PATIENCE = 10.0
LARGEST_PICTURE = 256 * 1024


class Trials:
    """The tests of this Manager's workers; ``offered`` are the trials of all plugins."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self.offered: Mapping[str, Trial] = {}

    # -- what people ask -------------------------------------------------------------------

    async def ask(self, worker: str, asked_by: str) -> trials.TestResult:
        """Let a worker be tested; raises `NotFound`, `Conflict`, or says what is missing."""
        new_id, test = self._manager.new_id, self._manager.new_id()
        if not self.offered:
            raise Conflict("no plugin offers a trial; take 'trials' out of 'blocked:'")
        await self._prepare(test)
        new = [
            trials.NewTrial(
                uuid=new_id(),
                name=trial.name,
                task_type=trial.task_type,
                commands=tuple(trial.commands(f"{{jobs}}/{FOLDER}/{test}/{trial.name}")),
            )
            for trial in self.offered.values()
        ]
        try:
            write = self._manager.database.write
            found: trials.TestResult = await write(trials.ask_for_test, worker, test, asked_by, new)
        except FlamencoError:
            await self._clean(test)
            raise
        if found.test.ended_at is not None:
            await self._clean(test)
        return found

    async def withdraw(self, worker: str) -> None:
        """End what is open of a worker's test."""
        test = await self._manager.database.write(trials.withdraw_test, worker)
        if test is not None:
            await self._clean(test)

    # -- what workers say ------------------------------------------------------------------

    async def take(self, worker: str, trial: str, said: Report, text: str) -> None:
        """Take in a worker's message about a trial; raises `NotFound` and `StaleMessage`."""
        row = await self.check_own(worker, trial)
        verdict = None
        if row.open and said.status in {TaskStatus.COMPLETED, TaskStatus.FAILED}:
            verdict = await self._verdict(row, row.log + text, said.status)
        write = self._manager.database.write
        new: Row = await write(trials.report_trial, worker, trial, said, text, verdict)
        if verdict and (await self._manager.database.read(trials.last_result, worker)).is_over:
            await self._clean(new.test_uuid)

    async def check_own(self, worker: str, trial: str) -> Row:
        """Return a trial of this worker; raises `NotFound` if it is none."""
        return await self._manager.database.read(trials.find_own, worker, trial)

    async def _verdict(self, row: Row, text: str, status: TaskStatus) -> trials.Verdict | None:
        trial = self.offered.get(row.name)
        if trial is None:
            return trials.Verdict(passed=False, words="no plugin offers this trial any more")
        version = _version_in(text, trial)
        if status is TaskStatus.FAILED:
            return trials.Verdict(passed=False, words="", version=version)
        folder = self._folder(row.test_uuid) / trial.name
        try:
            words, picture = await within(PATIENCE, _look, trial, folder)
        except TimeoutError:
            words = f"{folder} did not answer the Manager within {PATIENCE:.0f} seconds"
        except (FlamencoError, OSError) as error:
            words = str(error)
        else:
            return trials.Verdict(passed=True, words=words, version=version, picture=picture)
        return trials.Verdict(passed=False, words=words, version=version)

    # -- its folder ------------------------------------------------------------------------

    async def look(self) -> None:
        """End trials that take too long, and remove what is left of them."""
        database = self._manager.database
        if await database.read(trials.is_anything_late):
            for test in await database.write(trials.give_up_trials):
                await self._clean(test)

    def _folder(self, test: str) -> Path:
        return Path(self._manager.storage.location) / FOLDER / test

    async def _prepare(self, test: str) -> None:
        folder = self._folder(test)
        try:
            await within(PATIENCE, _prepare, folder, tuple(self.offered.values()))
        except TimeoutError:
            raise Busy(f"the job storage {folder.parent} does not answer; is it mounted?") from None
        except OSError as error:
            raise Conflict(
                f"nothing can be written to the job storage: {error}; let the user who runs the"
                " Manager write there"
            ) from error

    async def _clean(self, test: str) -> None:
        try:
            await within(PATIENCE, shutil.rmtree, self._folder(test))
        except (OSError, TimeoutError, Busy) as error:
            # What a worker made may be of another user: no reason to fail its test.
            log.warning("%s is left over from a test of a worker: %s", self._folder(test), error)


def _prepare(folder: Path, offered: tuple[Trial, ...]) -> None:
    for trial in offered:
        own = folder / trial.name
        own.mkdir(parents=True)
        trial.prepare(own)
        # Workers are often other users; what is in here lives for minutes and runs nothing.
        own.chmod(0o777)


def _look(trial: Trial, folder: Path) -> tuple[str, str]:
    words = trial.prove(folder)
    return words, _picture(folder / trial.picture) if trial.picture else ""


def _picture(path: Path) -> str:
    with path.open("rb") as file:
        image = file.read(LARGEST_PICTURE + 1)
    if len(image) > LARGEST_PICTURE or media_type_of(image) is None:
        raise FlamencoError(f"{path} is no small picture; what has the worker made?")
    return base64.b64encode(image).decode()


def _version_in(text: str, trial: Trial) -> str:
    found = re.search(trial.version, text) if trial.version else None
    return found[1] if found else ""
