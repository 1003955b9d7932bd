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

// Sessions returns how many bytes each connection of an application has carried, by its name. One whose request of HTTP
// waits for its answer is told by atWork; those of HTTP that wait for a request are not among them.
func (h *HAProxy) Sessions(ctx context.Context) (carried map[string]string, atWork int, err error) {
	processes, err := h.command(ctx, masterSocket, "show proc")
	if err != nil {
		return nil, 0, err
	}
	carried = map[string]string{}
	for _, pid := range workers(processes) {
		text, err := h.command(ctx, masterSocket, "@!"+pid+" show sess all")
		if err != nil {
			return nil, 0, err
		}
		atWork += sessions(pid, text, carried)
	}
	return carried, atWork, nil
}

// workers returns the processes that have connections: those of former configurations too.
func workers(processes string) []string {
	var pids []string
	for line := range strings.Lines(processes) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == "worker" {
			pids = append(pids, fields[0])
		}
	}
	return pids
}

// sessions adds those of a worker, and returns how many requests of HTTP are under way.
// https://docs.haproxy.org/2.6/management.html#9.3 (show sess)
func sessions(pid, text string, carried map[string]string) (atWork int) {
	name, counted := "", false
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "0x"):
			name, counted = pid+" "+fields[0], false
		case strings.HasPrefix(line, "  frontend="):
			frontend := strings.TrimPrefix(fields[0], "frontend=")
			http := strings.Contains(line, "mode=http")
			ours := frontend == "GLOBAL" || strings.HasPrefix(frontend, "_") // which no upstream's name begins with
			counted = !ours && !http
			if counted {
				carried[name] = ""
			} else if !ours {
				atWork++
			}
		case counted && (strings.HasPrefix(line, "  req=") || strings.HasPrefix(line, "  res=")):
			_, total, _ := strings.Cut(line, "total=")
			carried[name] += strings.TrimSpace(total) + " "
		}
	}
	return atWork
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
	// The master closes only after we have, what a worker answers through it.
	if unix, ok := conn.(*net.UnixConn); ok && socket == masterSocket {
		if err := unix.CloseWrite(); err != nil {
			return "", err
		}
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}
