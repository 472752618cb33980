"""`python -m parpour_operator`."""

import sys

from parpour_operator.main import main

sys.exit(main())
