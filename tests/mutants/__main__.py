"""``python -m tests.mutants``: see `trial.py`."""

import sys

from tests.mutants.trial import main

sys.exit(main(sys.argv[1:]))
