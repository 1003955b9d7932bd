// Package git runs the git program: locked down, with credentials of ours, and with nothing of it left afterwards.
package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/subprocess"
)

// maxErrorText is how much of git's complaint gets into an error. A server may have written it.
const maxErrorText = 2 << 10

// Git is the git program as this process runs it.
type Git struct {
	// Dir is a directory for what git must find in files: its configuration, ssh's, the certificates. None but us may
	// enter it: whoever writes git's configuration decides which programs it runs.
	Dir         string
	Settings    Settings
	credentials []credential.Credential
}

// Use sets the credentials for what runs from now on.
func (g *Git) Use(all []credential.Credential) { g.credentials = all }

// Failure is a git that ended with an error.
type Failure struct {
	verb  string
	text  string
	cause error
}

// Error has the end of what git wrote, without credentials.
func (f *Failure) Error() string {
	if f.text == "" {
		return fmt.Sprintf("git %s: %v", f.verb, f.cause)
	}
	return fmt.Sprintf("git %s: %v: %s", f.verb, f.cause, f.text)
}

// Unwrap returns the process's error.
func (f *Failure) Unwrap() error { return f.cause }

// says tells whether err is a failure and git wrote one of the texts. Its language is ours to choose.
func says(err error, texts ...string) bool {
	var failure *Failure
	return errors.As(err, &failure) &&
		slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(failure.text, text) })
}

// Refused tells whether the server has refused the credentials.
func Refused(err error) bool {
	return says(err, "Authentication failed", "returned error: 401", "returned error: 403", "could not read Username")
}

// at is where git works, beside its arguments.
type at struct {
	repository string
	worktree   string
	index      string
}

func (a at) environment() []string {
	var all []string
	for name, value := range map[string]string{"GIT_DIR": a.repository, "GIT_WORK_TREE": a.worktree, "GIT_INDEX_FILE": a.index} {
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// run runs git and gives its output to stdout, which may be nil.
func (g *Git) run(ctx context.Context, where at, stdout io.Writer, arguments ...string) error {
	shared, err := credential.Share(g.credentials)
	if err != nil {
		return err
	}
	defer shared.Close()
	command := exec.Command("git", arguments...)
	command.Dir = g.Dir
	if where.worktree != "" {
		command.Dir = where.worktree
	}
	command.Env = append(g.environment(), where.environment()...)
	command.ExtraFiles = []*os.File{shared}
	complaint := &subprocess.Tail{Limit: maxErrorText}
	command.Stdout, command.Stderr = stdout, complaint
	if err := subprocess.Run(ctx, command); err != nil {
		text := strings.Join(strings.Fields(credential.Redact(complaint.String(), g.credentials)), " ")
		return &Failure{arguments[0], text, err}
	}
	return nil
}

// line runs git and returns the first line of its output.
func (g *Git) line(ctx context.Context, where at, arguments ...string) (string, error) {
	var output head
	err := g.run(ctx, where, &output, arguments...)
	first, _, _ := strings.Cut(string(output), "\n")
	return first, err
}

// maxOutput bounds what is kept of an output that a server decides on.
const maxOutput = 64 << 10

// head keeps the first maxOutput bytes written to it.
type head []byte

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), maxOutput-len(*h))]...)
	return len(p), nil
}

// environment is ours without what would change git's behaviour or tell it a secret.
func (g *Git) environment() []string {
	kept := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		for _, prefix := range []string{"GIT_", "GITSYNC_", "SSH_", "LC_", "LANG", "HOME=", "XDG_", "TMPDIR="} {
			if strings.HasPrefix(variable, prefix) {
				return true
			}
		}
		return false
	})
	set := append(kept,
		"LC_ALL=C",
		"HOME="+g.Dir,
		"TMPDIR="+g.Dir,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL="+g.file("config"),
		"GIT_TERMINAL_PROMPT=0",
		"GIT_SSH_COMMAND="+g.sshCommand(),
		"GIT_SSH_VARIANT=ssh",
	)
	if _, err := os.Stat(g.file("ca.pem")); err == nil {
		set = append(set, "GIT_SSL_CAINFO="+g.file("ca.pem"))
	}
	return set
}

func (g *Git) file(name string) string { return filepath.Join(g.Dir, name) }
