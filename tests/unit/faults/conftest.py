from __future__ import annotations

import sys
from pathlib import Path

# The fault matrix is a program of this repository and is not installed.
sys.path.append(str(Path(__file__).parents[3]))
