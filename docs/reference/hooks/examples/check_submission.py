"""No job goes in without the name of its project."""

from flamenco_core import Problem, hookimpl


@hookimpl
async def check_submission(job):
    if not job.metadata.get("project"):
        return [Problem("say which project this is for; see the box 'Project'")]
    return []
