"""What can be set in ``flamenco-manager.yaml``.

A file of Flamenco 3 is read as it is: its keys have its names, meanings and defaults.
Two differences are on purpose. Relative paths start from the settings file's folder, not
from the program or the current folder. And without a ``listen`` key only this machine can
reach the Manager: it takes a person's word to open it to the network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import validators

from flamenco_core.config import Duration, Loaded, load_settings, option
from flamenco_core.config.nodes import Section
from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.manager import old_settings
from flamenco_core.manager.cleanup_settings import CleanupSettings
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.logs import LogLimits
from flamenco_core.manager.registration_settings import RegistrationSettings
from flamenco_core.manager.setting_checks import (
    POSTGRESQL,
    check_hosts,
    check_networks,
    check_url,
    read_database,
    read_listen,
    read_version,
    read_zone,
)
from flamenco_core.manager.variables import (
    DEFAULT_VARIABLES,
    VARIABLES_SCHEMA,
    read_variables,
    variables_as_written,
)
from flamenco_core.offers.variable import Variable
from flamenco_core.platform import go_os

__all__ = [
    "FILE_NAME",
    "ManagerSettings",
    "Meta",
    "Mqtt",
    "MqttClient",
    "Shaman",
    "ShamanGarbageCollect",
    "TaskLogSettings",
    "load_manager_settings",
]

FILE_NAME = "flamenco-manager.yaml"


@attrs.frozen(kw_only=True)
class Meta:
    """About the settings file itself."""

    version: int = option(
        3, "Version of the format; 1 and 2, of Flamenco 2, are read too.", read=read_version
    )


@attrs.frozen(kw_only=True)
class ShamanGarbageCollect:
    """When stored files that no job uses any more are removed."""

    period: Duration = option(Duration.parse("24h"), "How often to look; 0 means never.")
    max_age: Duration = option(
        Duration.parse("744h"), "How long a file must be unused.", key="maxAge"
    )


@attrs.frozen(kw_only=True)
class Shaman:
    """Storage that takes each file once, by its checksum."""

    enabled: bool = option(
        factory=lambda: go_os() != "windows",
        help="Let clients send files by checksum. Off by default on Windows.",
    )
    garbage_collect: ShamanGarbageCollect = option(
        factory=ShamanGarbageCollect, key="garbageCollect"
    )


@attrs.frozen(kw_only=True)
class TaskLogSettings:
    """How much of the logs of tasks is kept."""

    run_megabytes: int = option(
        64,
        "Megabytes of the log of one run of a task; of a longer one the middle is left out.",
        validator=validators.ge(1),
    )
    message_kilobytes: int = option(
        1024, "Kilobytes of one message of a worker.", validator=validators.ge(1)
    )
    runs: int = option(
        20, "Runs of a task whose logs are kept, the newest ones.", validator=validators.ge(1)
    )

    @property
    def limits(self) -> LogLimits:
        """The same as the logs want it."""
        return LogLimits(
            run=self.run_megabytes * 2**20,
            message=self.message_kilobytes * 2**10,
            runs=self.runs,
        )


@attrs.frozen(kw_only=True)
class MqttClient:
    """Events for an MQTT broker."""

    enabled: bool = option(False, "Send events to the broker.")
    broker: str = option("", "The broker's URL, such as tcp://host:1883.")
    client_id: str = option("flamenco", "How this Manager calls itself.", key="clientID")
    topic_prefix: str = option("flamenco", "First word of all topics.")
    username: str = option("", "Name to log in with.")
    password: str = option("", "Password to log in with.")

    def __repr__(self) -> str:
        return f"MqttClient(enabled={self.enabled}, broker={self.broker!r})"


@attrs.frozen(kw_only=True)
class Mqtt:
    """MQTT."""

    client: MqttClient = option(factory=MqttClient)


@attrs.frozen(kw_only=True)
class ManagerSettings:
    """All settings of a Manager."""

    meta: Meta = option(factory=Meta, key="_meta")
    manager_name: str = option("Flamenco", "Name of the farm, shown to people.", acts="at once")
    shown_version: str = option(
        "",
        "Version to tell clients instead of our own. Flamenco's add-on asks before it sends a"
        " job to a Manager of another version than itself, such as `3.9`.",
        acts="at once",
    )
    listen: str = option(
        "127.0.0.1:8080",
        "HOST:PORT to serve on; `:8080` is every network this machine is in.",
        read=read_listen,
    )
    public_url: str = option(
        "",
        "How people reach the Manager through a proxy, such as `https://farm.example`. With"
        " `https`, browsers are told never to come without TLS again.",
        validator=check_url,
    )
    hosts: tuple[str, ...] = option(
        (),
        "Names of this Manager, such as `farm.example` or `*.example`, besides its machine's"
        " own. Addresses, names without a dot and private ones (`.local`, `.lan`, ...) need"
        " not be listed. `*` takes any name, and is no defense against hostile web pages.",
        validator=check_hosts,
    )
    trusted_proxies: tuple[str, ...] = option(
        (),
        "Addresses of reverse proxies, or networks such as `10.0.0.0/8`, that are believed"
        " when they say who the client is.",
        validator=check_networks,
    )
    limits: Limits = option(factory=Limits, acts="at once")
    autodiscoverable: bool = option(
        True, "Let Workers find this Manager by themselves, by SSDP and zeroconf."
    )
    database: str = option(
        "flamenco-manager.sqlite",
        "A file for SQLite, or `postgresql+psycopg://user:password@host/name`, which several"
        " Managers may share.",
        read=read_database,
    )
    database_check_period: Duration = option(
        Duration.parse("1h"),
        "How often the database is checked for damage; 0 means never.",
    )
    database_backup_period: Duration = option(
        Duration.parse("24h"),
        "Age of the newest backup at which another one is made after a check, in a folder"
        " beside a SQLite database; 0 means never.",
        acts="at once",
    )
    database_backups: int = option(
        3, "How many of these backups are kept.", validator=validators.ge(0), acts="at once"
    )
    local_manager_storage_path: Path = option(
        Path("flamenco-manager-storage"),
        "Folder for what only the Manager needs: logs and last-rendered images. Managers that"
        " share a database share it, too.",
    )
    task_logs: TaskLogSettings = option(factory=TaskLogSettings, acts="at once")
    cleanup: CleanupSettings = option(factory=CleanupSettings)
    shared_storage_path: str = option(
        "",
        "Folder that all machines of the farm share, in this machine's notation."
        " Empty means that the farm is not set up yet.",
        acts="at once",
    )
    shaman: Shaman = option(factory=Shaman, acts="not yet")
    task_timeout: Duration = option(
        Duration.parse("10m"),
        "Silence about a running task after which its worker has failed it; 0 means never.",
        acts="at once",
    )
    task_timeouts: Mapping[str, Duration] = option(
        factory=dict,
        help="Longest run of a task by its type, as `{blender: 2h}`; then its worker failed it.",
        acts="at once",
    )
    worker_timeout: Duration = option(
        Duration.parse("1m"),
        "Silence after which a worker counts as gone; 0 means never.",
        acts="at once",
    )
    blocklist_threshold: int = option(
        3,
        "Failures of a worker at one kind of task in a job before it gets no more of them.",
        validator=validators.ge(0),
        acts="at once",
    )
    blocklist_expires_after: Duration = option(
        Duration(),
        "Time after which such a worker may try that kind of task again; 0 means never.",
        validator=validators.ge(Duration()),
        acts="at once",
    )
    task_fail_after_softfail_count: int = option(
        3,
        "Workers that a task has to fail on before it is failed.",
        validator=validators.ge(1),
        acts="at once",
    )
    fail_percentage: int = option(
        10,
        "Part of a job's tasks, in percent, that has to fail before the job is failed.",
        validator=validators.and_(validators.ge(1), validators.le(100)),
        acts="at once",
    )
    fail_at_least: int = option(
        3,
        "Tasks that have to fail before the job is failed, however few it has.",
        validator=validators.ge(1),
        acts="at once",
    )
    time_zone: str = option(
        "",
        "Time zone of sleep schedules that name none, such as `Europe/Amsterdam`."
        " Empty is this machine's.",
        read=read_zone,
        acts="at once",
    )
    impossible_tasks: ImpossibleTasks = option(
        ImpossibleTasks.WAIT,
        "What becomes of tasks that no known worker may run: they `wait`, their job is made to"
        " `fail`, or the workers that failed them are let at them again (`unblock`).",
        acts="at once",
    )
    remove_workers_after: int = option(
        0,
        "Days after which a worker that is offline and was not heard of is removed; 0 means"
        " never. People hear of it a day before. It is back as soon as it calls.",
        validator=validators.ge(0),
        acts="at once",
    )
    worker_registration: RegistrationSettings = option(factory=RegistrationSettings, acts="at once")
    last_rendered_history: int = option(
        10,
        "Newest images of each job that are kept in small, besides the newest of each task.",
        validator=validators.and_(validators.ge(1), validators.le(1000)),
        acts="at once",
    )
    mqtt: Mqtt = option(factory=Mqtt, acts="not yet")
    variables: tuple[Variable, ...] = option(
        DEFAULT_VARIABLES,
        "Texts that differ between machines, by name; see the page about variables.",
        read=read_variables,
        write=variables_as_written,
        schema=VARIABLES_SCHEMA,
        acts="at once",
    )
    plugins: Mapping[str, Any] = option(
        factory=dict, help="A section for each plugin, with that plugin's own settings."
    )
    plugins_dir: Path | None = option(
        None, "Folder with plugins of one file each. Only its owner may be able to write to it."
    )
    blocked: tuple[str, ...] = option((), "Plugins that are not loaded, by name.")
    required: tuple[str, ...] = option((), "Plugins without which the Manager does not start.")
    strict: bool = option(False, "Stop at the first broken plugin instead of listing it.")

    @staticmethod
    def upgraded(tree: Section) -> tuple[Section, tuple[str, ...]]:
        """Return a file of Flamenco 2 as one of today, and notes about that."""
        return old_settings.upgraded(tree)

    def rooted(self, folder: Path) -> ManagerSettings:
        """Return settings whose relative paths start from *folder*."""
        shared = self.shared_storage_path.strip()
        return attrs.evolve(
            self,
            database=_rooted_database(self.database, folder),
            local_manager_storage_path=_rooted(self.local_manager_storage_path, folder),
            shared_storage_path=str(_rooted(Path(shared), folder)) if shared else "",
            cleanup=attrs.evolve(
                self.cleanup,
                archive_path=self.cleanup.archive_path
                and _rooted(self.cleanup.archive_path, folder),
            ),
            plugins_dir=self.plugins_dir and _rooted(self.plugins_dir, folder),
        )

    @property
    def is_first_run(self) -> bool:
        """Whether a person still has to say where the farm's files are."""
        return not self.shared_storage_path

    @property
    def host_and_port(self) -> tuple[str, int]:
        """What `listen` says; an empty host is every network."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def load_manager_settings(
    path: Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded[ManagerSettings]:
    """Read a Manager's settings, by default ``flamenco-manager.yaml`` of this folder."""
    return load_settings(
        path if path is not None else Path(FILE_NAME),
        ManagerSettings,
        overrides=overrides,
        environ=environ,
    )


def _rooted(path: Path, folder: Path) -> Path:
    return Path(os.path.normpath(folder / path.expanduser()))


def _rooted_database(database: str, folder: Path) -> str:
    if POSTGRESQL.match(database):
        return POSTGRESQL.sub("postgresql+psycopg://", database)
    # "file:x", "sqlite:x", "sqlite:///x" and "sqlite:////absolute/x" all name a file.
    path = re.sub(r"^(sqlite:///|sqlite:|file:(//)?)", "", database).partition("?")[0]
    return str(_rooted(Path(path), folder))
