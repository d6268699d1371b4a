"""Only people whom we know may delete jobs."""

from flamenco_core import Problem, hookimpl


@hookimpl
def check_access(identity, action):
    if action.operation == "deleteJob" and identity.kind != "person":
        yield Problem("log in to delete jobs")
