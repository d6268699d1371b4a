"""What a plugin can hand over through a ``register_*`` hook, and what hooks exchange.

Each offer is a typed object with a unique ``name``; after registration Flamenco
calls its ordinary methods.
"""

from flamenco_core.offers.command import Command, Run
from flamenco_core.offers.identity import Action, Identity
from flamenco_core.offers.job_type import (
    AuthoredCommand,
    AuthoredJob,
    AuthoredTask,
    FromFile,
    JobTypeLike,
    JobTypes,
    Setting,
    Submission,
    TellsProblems,
)
from flamenco_core.offers.operations import Operation, Raw, operation
from flamenco_core.offers.problem import Problem
from flamenco_core.offers.python_job_type import Author, JobType, setting
from flamenco_core.offers.service import Service
from flamenco_core.offers.storage import Storage
from flamenco_core.offers.subcommand import Subcommand
from flamenco_core.offers.task import CommandToRun, TaskToRun
from flamenco_core.offers.trial import Trial
from flamenco_core.offers.variable import Variable, VariableValue

__all__ = [
    "Action",
    "Author",
    "AuthoredCommand",
    "AuthoredJob",
    "AuthoredTask",
    "Command",
    "CommandToRun",
    "FromFile",
    "Identity",
    "JobType",
    "JobTypeLike",
    "JobTypes",
    "Operation",
    "Problem",
    "Raw",
    "Run",
    "Service",
    "Setting",
    "Storage",
    "Subcommand",
    "Submission",
    "TaskToRun",
    "TellsProblems",
    "Trial",
    "Variable",
    "VariableValue",
    "operation",
    "setting",
]
