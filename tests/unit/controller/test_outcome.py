"""What is noted of writes that failed."""

from __future__ import annotations

import pytest

from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.executor import Outcome


def test_no_error_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    outcome = Outcome()
    first, second = KeyError("first"), ValueError("second")
    for error in (first, ApiError(403, {"reason": "Forbidden"}, None), second):
        outcome.fail(error)
    assert outcome.error is first
    assert outcome.failure is not None
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [second]
