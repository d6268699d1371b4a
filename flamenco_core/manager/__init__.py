"""The Manager: keeps jobs, schedules their tasks, serves the API."""

from flamenco_core.manager.app import create_manager
from flamenco_core.manager.host import Manager
from flamenco_core.manager.settings import ManagerSettings

__all__ = ["Manager", "ManagerSettings", "create_manager"]
