"""`podpatterns run` with short timeouts towards the API server, so that a scenario need not last minutes.

python short_timeouts.py run
"""

from __future__ import annotations

from functools import partial

from podpatterns.cli import main
from podpatterns.controller import process
from podpatterns.controller.apiserver import Timeouts

if __name__ == "__main__":
    # A silence that is shorter than the API server's minute between bookmarks only begins the watch anew.
    process.serve = partial(process.serve, timeouts=Timeouts(request=3, silence=4))
    main()
