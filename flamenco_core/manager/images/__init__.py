"""What was rendered last: taken in, made small, shown."""

from __future__ import annotations

from flamenco_core.manager.images.last_rendered import LastRendered
from flamenco_core.manager.images.slots import Upload

__all__ = ["LastRendered", "Upload"]
