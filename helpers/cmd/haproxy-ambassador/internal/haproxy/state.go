package haproxy

import (
	"context"
	"os"
	"strings"
)

// keepDown writes down which servers have failed their checks, for the worker that comes next: to it all others count as
// healthy until it has asked them itself. https://docs.haproxy.org/2.6/management.html#9.3 (show servers state)
func (h *HAProxy) keepDown(ctx context.Context) error {
	var known string
	if h.Running() {
		// Where the present worker does not answer, a new one is wanted all the more.
		known, _ = h.command(ctx, commandSocket, "show servers state")
	}
	return os.WriteFile(h.path(stateFile), []byte(onlyDown(known)), 0o600)
}

// onlyDown leaves the servers that are down, and not for maintenance. The first line is the version of the format.
func onlyDown(state string) string {
	const version, header, opState, adminState = "1\n", "#", 5, 6
	kept := version
	for line := range strings.Lines(state) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, header) || len(fields) > adminState && fields[opState] == "0" && fields[adminState] == "0" {
			kept += line
		}
	}
	return kept
}
