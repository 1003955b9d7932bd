package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

// process is a git-sync that runs.
type process struct {
	*processtest.Process
	t    *testing.T
	root string
}

// start runs git-sync on a root, publishing at "current", with a short period unless args say otherwise.
func start(t *testing.T, root string, args ...string) *process {
	t.Helper()
	args = append([]string{"--root", root, "--link", "current", "--period", "50ms"}, args...)
	return &process{processtest.Start(t, args...), t, root}
}

// path is the path of a file below the published link.
func (p *process) path(name string) string { return filepath.Join(p.root, "current", name) }

func published(root string) string {
	target, err := os.Readlink(filepath.Join(root, "current"))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

func (p *process) waitPublished(hash string) {
	p.t.Helper()
	processtest.Eventually(p.t, "publishes "+hash, func() bool { return published(p.root) == hash })
}

// waitLog waits for a number of log lines with the message.
func (p *process) waitLog(message string, count int) {
	p.t.Helper()
	processtest.Eventually(p.t, "logs "+message, func() bool { return len(p.lines(message)) >= count })
}

// lines returns the log lines with a message.
func (p *process) lines(message string) []map[string]any {
	p.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(p.Log()) {
		if !strings.HasSuffix(line, "\n") {
			break // not yet written to its end
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			p.t.Fatalf("not a JSON line: %q", line)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

// trees lists the directories of commits on disk.
func trees(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, ".git-sync", "worktrees"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// sample returns the value of a series in Prometheus' text, or "" if there is none.
func sample(metrics, series string) string {
	match := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (.*)$`).FindStringSubmatch(metrics)
	if match == nil {
		return ""
	}
	return match[1]
}
