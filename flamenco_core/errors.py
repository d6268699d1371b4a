"""Every error that Flamenco raises on purpose.

* FlamencoError
  x PluginError             a plugin broke the contract of a hook; names the plugin
    + DuplicateName         two plugins offer the same name
    + MissingPlugin         a required plugin is not there, or is off
  x ConfigError             a setting is wrong; names file, line, key and cure
  x CommandError            a command could not be built or failed; fails the task
    + UnknownCommand        no plugin offers the command
  x JobTypeError            a job type is broken or cannot compile this job
    + UnknownJobType        no plugin offers the job type
    + OutdatedJobType       its settings changed since the client read them
  x Refused                 the request makes no sense now; nothing was changed
    + BadRequest            the request itself is wrong
      - TooLarge            its body is larger than the settings allow
    + NotFound              there is no such thing
    + Forbidden             this identity may not do that
    + Conflict              the state of the thing does not allow it
      - StaleMessage        a worker speaks for a run that is no longer its own
      - DutyLost            another Manager of the farm does that now
    + NotAllowed            no such change from this status
  x Busy                    too much to do or not reachable; try again
    + TooMany               this client asks too often
  x DatabaseError           the database cannot be used; names the cure
    + StorageFull           its disk, or that of the logs, has no space left

``manager/http/problems.py`` is the one place that turns these into HTTP answers.
"""

from __future__ import annotations

__all__ = [
    "BadRequest",
    "Busy",
    "CommandError",
    "ConfigError",
    "Conflict",
    "DatabaseError",
    "DuplicateName",
    "DutyLost",
    "FlamencoError",
    "Forbidden",
    "JobTypeError",
    "MissingPlugin",
    "NotAllowed",
    "NotFound",
    "OutdatedJobType",
    "PluginError",
    "Refused",
    "StaleMessage",
    "StorageFull",
    "TooLarge",
    "TooMany",
    "UnknownCommand",
    "UnknownJobType",
]


class FlamencoError(Exception):
    """Base of every deliberate error."""


class PluginError(FlamencoError):
    """A plugin broke the contract of a hook."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"plugin {plugin!r}: {message}")
        self.plugin = plugin


class DuplicateName(PluginError, ValueError):
    """Two plugins offer the same name."""


class MissingPlugin(PluginError, LookupError):
    """A plugin that the settings require is not installed, or is off."""


class ConfigError(FlamencoError, ValueError):
    """A setting is wrong; the message names file, line, key and cure."""


class CommandError(FlamencoError, RuntimeError):
    """A command could not be built, or failed; the message ends up in the task."""


class UnknownCommand(CommandError, LookupError):
    """No plugin of this Worker offers the command."""


class JobTypeError(FlamencoError, ValueError):
    """A job type is broken, or cannot compile the submitted job."""


class UnknownJobType(JobTypeError, LookupError):
    """No plugin offers the job type."""


class OutdatedJobType(JobTypeError):
    """The job type's settings changed since the client read them."""


class Refused(FlamencoError):
    """The request cannot be carried out now; nothing was changed."""


class BadRequest(Refused, ValueError):
    """The request itself is wrong."""


class TooLarge(BadRequest):
    """The body is larger than the settings allow; names the setting."""


class NotFound(Refused, LookupError):
    """There is no such job, task, worker, tag or plugin."""


class NothingFits(Refused):
    """What was asked for is done to nothing: there is nothing of the kind."""


class UnknownTag(NotFound):
    """There is no such worker tag for a job."""


class Forbidden(Refused, PermissionError):
    """The identity behind the request may not do that."""


class Conflict(Refused):
    """The present state does not allow it."""


class StaleMessage(Conflict):
    """A worker speaks for a run of a task that is no longer its own."""


class DutyLost(Conflict):
    """What only one Manager may do is another one's to do now."""


class NotAllowed(Refused):
    """There is no such change from the present status."""


class Busy(FlamencoError, TimeoutError):
    """There is too much to do at the moment; try again later."""


class TooMany(Busy):
    """This client asks too often; it may again *after* so many seconds."""

    def __init__(self, message: str, after: int = 1) -> None:
        super().__init__(message)
        self.after = after


class DatabaseError(FlamencoError, RuntimeError):
    """The database cannot be used; the message names the cure."""


class StorageFull(DatabaseError):
    """There is no space left on the Manager's disk; reading goes on."""
