from __future__ import annotations

from testbed.cluster.packages import require


def test_what_is_there_is_not_installed_again() -> None:
    # The package exists nowhere; asking for it would fail.
    require({"sh": "no-such-package"})
