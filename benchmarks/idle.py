"""What 1,000 idle Workers cost the Manager; see ``over_http/bench_idle.py``.

python benchmarks/idle.py [--workers N] [--json]
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this folder: in it, http.py would pass for the standard library's http.
    sys.path[0] = str(Path(__file__).with_name("over_http"))
    runpy.run_path(str(Path(sys.path[0]) / "bench_idle.py"), run_name="__main__")
