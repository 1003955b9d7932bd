package haproxy

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
)

// Upstream is one that runs, as HAProxy finds it.
type Upstream struct {
	Name    string
	Healthy bool
	// Endpoints are those with an address, each with its address and HAProxy's word for the last check.
	Endpoints []string
}

// String names the upstream with its endpoints.
func (u Upstream) String() string {
	if len(u.Endpoints) == 0 {
		return u.Name + " (no address)"
	}
	return u.Name + " (" + strings.Join(u.Endpoints, ", ") + ")"
}

// statCommand asks for backends (2) and servers (4).
const statCommand = "show stat -1 6 -1"

// Upstreams returns those of the worker. One that runs on a server that stands in for others (backup) is healthy.
func (h *HAProxy) Upstreams(ctx context.Context) ([]Upstream, error) {
	text, err := h.command(ctx, commandSocket, statCommand)
	if err != nil {
		return nil, err
	}
	return upstreams(text)
}

// upstreams reads https://docs.haproxy.org/2.6/management.html#9.1
func upstreams(text string) ([]Upstream, error) {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%s: %w", statCommand, errors.Join(err, errors.New("no statistics")))
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var found []Upstream
	var endpoints []string
	// The servers of a backend come before it.
	for _, row := range rows[1:] {
		status := row[column["status"]]
		if row[column["svname"]] != "BACKEND" {
			if !strings.HasPrefix(status, "MAINT") {
				endpoints = append(endpoints, strings.TrimSpace(row[column["addr"]]+" "+row[column["check_status"]]))
			}
			continue
		}
		found = append(found, Upstream{row[column["pxname"]], status == "UP", endpoints})
		endpoints = nil
	}
	return found, nil
}
