"""The settings of a Worker, as they stand in ``flamenco-worker.yaml``."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import attrs
from attrs import validators

from flamenco_core import platform
from flamenco_core.config.nodes import Items, Scalar, Wrong
from flamenco_core.config.values import option

__all__ = ["Timings", "WorkerSettings"]


@attrs.frozen(kw_only=True)
class Timings:
    """How long a Worker waits for what, in seconds.

    Each question to the Manager is a sign of life. It gives a worker up after four missed
    heartbeats, so every pause between two questions has to be shorter than that.
    """

    long_wait: float = option(30.0, "How long the Manager may hold a question for work.")
    idle_pause: float = option(1.0, "First pause after a Manager without work did not hold it.")
    idle_pause_longest: float = option(10.0, "Such pauses double up to this.")
    retry_pause: float = option(1.0, "First pause after an error.")
    retry_pause_longest: float = option(10.0, "Such pauses double up to this.")
    heartbeat: float = option(5.0, "How often to ask whether a task may go on.")
    asleep_poll: float = option(3.0, "How often to ask for a new state when asleep.")
    log_chunk: float = option(2.0, "How old lines of a task's log may get before they are sent.")
    request: float = option(15.0, "Limit of an ordinary request.")
    upload: float = option(120.0, "Limit of an image's upload.")
    stop_grace: float = option(5.0, "How long programs may take to end before they are killed.")
    final_flush: float = option(5.0, "How long to send what waits, when stopping.")
    sign_off: float = option(3.0, "How long to take leave, when stopping.")
    shutdown: float = option(20.0, "How long stopping may take at all.")
    discovery: float = option(600.0, "How long to search for a Manager.")
    readiness_pause: float = option(5.0, "First pause after something was not ready.")
    readiness_pause_longest: float = option(60.0, "Such pauses double up to this.")


def _home() -> str:
    return os.environ.get("FLAMENCO_HOME") or str(platform.data_folder())


def _read_urls(node: Any) -> str:
    urls = list(node) if isinstance(node, Items) else [node]
    if not all(isinstance(url, Scalar) for url in urls):
        raise Wrong("must be a URL, or a list of URLs", node)
    return ", ".join(url.text for url in urls)


def _task_types() -> list[str]:
    return ["blender", "ffmpeg", "file-management", "misc"]


@attrs.frozen(kw_only=True)
class WorkerSettings:
    """Everything a Worker can be told; each has a default.

    The first five are Flamenco's, the others ours.
    """

    worker_name: str = option("", "Name on the farm; empty is the name of the computer.")
    manager_url: str = option(
        "",
        "Where the Manager is; empty searches the network for it. A list names several Managers"
        " that share a database: when one does not answer, the next one is asked.",
        read=_read_urls,
        repr=False,  # what lets Workers in may stand in it
    )
    task_types: list[str] = option(factory=_task_types, help="Types of the tasks to run.")
    restart_exit_code: int = option(
        0, "Exit code that makes the service manager start the Worker again; 0: it cannot."
    )
    registration_token: str = option(
        "",
        "What lets this Worker join a farm that is not open to all: a registration token, or the"
        " farm's secret. Needed once.",
        repr=False,
    )
    registration_token_file: str = option("", "A file with that, in place of it.")
    rotate_secret_after: int = option(
        30,
        "Days after which this Worker changes the secret that it shows its Manager; 0 is never.",
        validator=validators.ge(0),
    )
    oom_score_adjust: int | None = option(
        None, "How readily Linux ends the programs of tasks when memory runs out; up to 1000."
    )

    exec_allowed: bool = option(False, "Whether tasks may run any program (command 'exec').")
    commands: list[str] | None = option(
        None, "The only commands that tasks may run here; missing: all that are offered."
    )
    plugins_dir: str = option("", "A folder of one-file plugins.")
    blocked: list[str] = option(factory=list, help="Plugins to leave out.")
    required: list[str] = option(
        factory=list, help="Plugins without which the Worker does not start."
    )
    home: str = option(
        factory=_home,
        help="Folder for credentials and unsent reports; each Worker of a computer needs its own.",
    )
    log_bytes_per_second: int = option(
        1_000_000, "How much a task may log for long; what is beyond is left out, with a note."
    )
    timings: Timings = option(factory=Timings, help="How long to wait for what, in seconds.")
    plugins: dict[str, Any] = option(
        factory=dict, help="A section for each plugin, with that plugin's own settings."
    )

    @property
    def name(self) -> str:
        """The name to go by."""
        wanted = self.worker_name.strip() or os.environ.get("FLAMENCO_WORKER_NAME", "").strip()
        return wanted or socket.gethostname()

    @property
    def home_path(self) -> Path:
        """The home as an absolute path."""
        return Path(self.home).expanduser().absolute()

    def rooted(self, folder: Path) -> WorkerSettings:
        """Return the same, with relative paths starting from the settings file's folder."""
        home = str(folder / Path(self.home).expanduser())
        plugins_dir = self.plugins_dir and str(folder / Path(self.plugins_dir).expanduser())
        token = self.registration_token_file
        token = token and str(folder / Path(token).expanduser())
        return attrs.evolve(self, home=home, plugins_dir=plugins_dir, registration_token_file=token)
