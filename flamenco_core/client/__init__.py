"""Talk to a Manager over HTTP; what the command line uses, and scripts may."""

from flamenco_core.client.api import Client
from flamenco_core.client.sse import ServerEvent
from flamenco_core.client.watch import Watch

__all__ = ["Client", "ServerEvent", "Watch"]
