"""Which of Flamenco's operations there are, and which come later."""

from __future__ import annotations

import re

from litestar import Litestar

from flamenco_core.manager import create_manager

LATER = {
    # jobs
    # files by checksum
    "shamanCheckoutRequirements",
    "shamanCheckout",
    "shamanFileStoreCheck",
    "shamanFileStore",
}
"""Keep it up to date: what is built leaves it, and in the end it is empty."""
OURS = {
    *("getPlugins", "followEvents", "fetchJobFile", "fetchJobWhy"),
    *("getJobTypesState",),
    *("fetchTaskLastRenderedInfo", "fetchJobImageHistory"),
    *("getLive", "getReady", "getMetrics", "describeForUpnp"),
    *("getConfigurationSchema", "getConfigurationSettings", "getConfigurationState"),
    *("rehearseConfiguration",),
    *("fetchJobsDiskUse", "fetchJobDiskUse", "deleteJobs"),
    *("checkStuckJobs", "fetchTaskWhy", "fetchWorkerWhy"),
    *("fetchRemovedWorkers", "restoreWorker"),
    *("addToJobBlocklist", "fetchWorkerBlocklist", "clearWorkerBlocklist"),
    *("fetchTagSleepSchedule", "setTagSleepSchedule", "deleteTagSleepSchedule"),
    "deleteWorkerSleepSchedule",
    "fetchWorkerStatusRequests",
    *("testWorker", "fetchWorkerTest", "withdrawWorkerTest", "fetchWorkerTestPicture"),
    *("downloadJobArchive", "archiveJob"),
    *("fetchJobRetention", "setJobRetention", "pruneJobs"),
    *("fetchRegistrationTokens", "createRegistrationToken", "revokeRegistrationToken"),
    *("approveWorker", "rejectWorker", "rotateWorkerSecret", "rotateSecret"),
    *("mergeWorkers", "fetchWorkerVariables"),
    *("getApiDocument", "showApi", "getApiStyle"),
}
"""What Flamenco's document does not have."""


def operations(app: Litestar) -> dict[str, tuple[str, str]]:
    found = {}
    for route in app.routes:
        for method, (handler, _) in route.route_handler_map.items():
            if name := handler.opt.get("operation"):
                found[name] = (method, re.sub(r":\w+\}", "}", route.path))
    return found


def test_each_operation_of_flamenco_is_there_or_on_the_list(reference) -> None:
    here = operations(create_manager(discover=False))
    assert len(reference.operations) == 57
    assert set(here) - set(reference.operations) == OURS
    assert set(reference.operations) - set(here) == LATER


def test_each_has_flamencos_address(reference) -> None:
    for name, (method, path) in operations(create_manager(discover=False)).items():
        if name not in OURS:
            its_method, its_path, _ = reference.operations[name]
            anonymous = re.sub(r"\{\w+\}", "{}", its_path)
            assert (method, re.sub(r"\{\w+\}", "{}", path)) == (its_method, anonymous), name


def test_every_route_declares_what_it_takes_and_answers() -> None:
    undeclared = [
        f"{method} {route.path}: write opt=operation({handler.opt.get('operation', 'itsName')!r},"
        " TypeOfTheAnswer, takes=TypeOfTheBody) at its route, and tags = [...] in its controller;"
        " flamenco_core/offers/operations.py says more"
        for route in create_manager(discover=False).routes
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS" and not (handler.opt.get("declared") and handler.resolve_tags())
    ]
    assert not undeclared, "\n".join(undeclared)
