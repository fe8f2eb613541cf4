# SPDX-License-Identifier: Apache-2.0
"""How long the tests wait before they call something broken."""

import os
import time

# Sanitizers and loaded machines are slow: CALLSYNC_E2E_PATIENCE multiplies every deadline.
PATIENCE = float(os.environ.get("CALLSYNC_E2E_PATIENCE", "1"))

DEADLINE_S = 15 * PATIENCE


class Deadline:
    """A moment until which something may be waited for."""

    def __init__(self, seconds: float = DEADLINE_S):
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def is_over(self) -> bool:
        return self.left() == 0.0
