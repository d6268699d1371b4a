"""The HTTP server: uvicorn, with deadlines, limits and a clean stop."""

from __future__ import annotations

from flamenco_core.manager.server.serving import Server, bind, serve

__all__ = ["Server", "bind", "serve"]
