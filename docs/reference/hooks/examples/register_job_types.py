"""A job type whose one task writes a greeting."""

import attrs

from flamenco_core import Author, JobType, hookimpl, setting


@attrs.frozen
class Greet(JobType):
    """Write a greeting to the task's log."""

    name = "greet"
    label = "Greeting"
    whom: str = setting("world", description="Who is greeted")

    def author(self, author: Author) -> None:
        author.task("greet", "misc").command("echo", {"message": f"Hello, {self.whom}!"})


@hookimpl
def register_job_types():
    return [Greet]
