package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/podconfig"
)

// Set gives servers of the worker their addresses: https://docs.haproxy.org/2.6/management.html#9.3
func (h *HAProxy) Set(ctx context.Context, changes []podconfig.Change) error {
	var failed []error
	for _, change := range changes {
		server := change.Backend + "/" + change.Server
		commands := "set server " + server + " state maint"
		if change.Address.IsValid() {
			commands += fmt.Sprintf("; set server %s addr %s; set server %s state ready", server, change.Address, server)
		}
		answer, err := h.command(ctx, commandSocket, commands)
		if err == nil {
			err = refusal(answer)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", server, err))
		}
	}
	return errors.Join(failed...)
}

// refusal returns the error in an answer. Of what is done there are words too, or none.
func refusal(answer string) error {
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "IP changed from ") && !strings.HasPrefix(line, "no need to change the addr") {
			return errors.New(line)
		}
	}
	return nil
}

// command has a command executed by the worker, or the master, at whose socket it is.
func (h *HAProxy) command(ctx context.Context, socket, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTime)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", h.path(socket))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(adminTime)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}
