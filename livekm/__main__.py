"""Run ``python -m livekm``."""

import sys

from livekm.cli import main

if __name__ == "__main__":
    sys.exit(main())
