"""``python -m flamenco_core.cli``, which is how the program starts itself."""

import sys

from flamenco_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
