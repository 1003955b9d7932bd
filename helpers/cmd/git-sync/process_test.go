package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
)

// asProgram makes the test binary be git-sync, so that the tests run exactly the code under test as a process.
const asProgram = "BE_GIT_SYNC"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a git-sync that runs.
type process struct {
	t       *testing.T
	command *exec.Cmd
	ended   chan struct{}
	root    string

	mu     sync.Mutex
	stderr bytes.Buffer
}

// start runs git-sync on a root, publishing at "current", with a short period unless args say otherwise.
func start(t *testing.T, root string, args ...string) *process {
	t.Helper()
	p := &process{t: t, root: root, ended: make(chan struct{})}
	args = append([]string{"--root", root, "--link", "current", "--period", "50ms"}, args...)
	p.command = exec.Command(os.Args[0], args...)
	// A read-only image has no /tmp and no home.
	p.command.Env = append(os.Environ(), asProgram+"=1", "TMPDIR=/nonexistent", "HOME=/nonexistent")
	p.command.Stderr = p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of git-sync:\n%s", p.log())
		}
	})
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	gittest.Eventually(p.t, "git-sync ends", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	return p.command.ProcessState.ExitCode()
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
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
	gittest.Eventually(p.t, "publishes "+hash, func() bool { return published(p.root) == hash })
}

// waitLog waits for a number of log lines with the message.
func (p *process) waitLog(message string, count int) {
	p.t.Helper()
	gittest.Eventually(p.t, "logs "+message, func() bool { return len(p.lines(message)) >= count })
}

// lines returns the log lines with a message.
func (p *process) lines(message string) []map[string]any {
	p.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(p.log()) {
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

// get returns status and body, or 0 while nothing listens.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// sample returns the value of a series in Prometheus' text, or "" if there is none.
func sample(metrics, series string) string {
	match := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (.*)$`).FindStringSubmatch(metrics)
	if match == nil {
		return ""
	}
	return match[1]
}
