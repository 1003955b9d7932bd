// Package gittest makes real repositories with the git program and serves them.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repository is a bare repository with the branch main, and a clone to commit in.
type Repository struct {
	t    testing.TB
	Bare string
	Work string
}

// NewRepository makes an empty one.
func NewRepository(t testing.TB) *Repository {
	t.Helper()
	return newRepository(t, t.TempDir(), "site")
}

// Beside makes an empty one that is served beside this one, at /NAME.git.
func (r *Repository) Beside(name string) *Repository {
	r.t.Helper()
	return newRepository(r.t, filepath.Dir(r.Bare), name)
}

func newRepository(t testing.TB, dir, name string) *Repository {
	t.Helper()
	r := &Repository{t: t, Bare: filepath.Join(dir, name+".git"), Work: filepath.Join(dir, name)}
	run(t, dir, "", "init", "--quiet", "--bare", "--initial-branch=main", r.Bare)
	run(t, dir, "", "init", "--quiet", "--initial-branch=main", r.Work)
	r.Git("remote", "add", "origin", r.Bare)
	return r
}

// Git runs git in the clone and returns its output.
func (r *Repository) Git(args ...string) string {
	r.t.Helper()
	return run(r.t, r.Work, "", args...)
}

// GitBare runs git in the bare repository, with input.
func (r *Repository) GitBare(input string, args ...string) string {
	r.t.Helper()
	return run(r.t, r.Bare, input, args...)
}

// Write puts files into the clone.
func (r *Repository) Write(files map[string]string) {
	r.t.Helper()
	for name, content := range files {
		path := filepath.Join(r.Work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Commit commits everything in the clone, and nothing is fine too. It returns the hash.
func (r *Repository) Commit() string {
	r.t.Helper()
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--allow-empty", "--message", "change")
	return r.Git("rev-parse", "HEAD")
}

// Push writes files, commits and pushes the current branch, by force. It returns the hash.
func (r *Repository) Push(files map[string]string) string {
	r.t.Helper()
	r.Write(files)
	hash := r.Commit()
	r.Git("push", "--quiet", "--force", "origin", "HEAD")
	return hash
}

// AddSubmodule puts a submodule into the clone, with the URL that .gitmodules is to have.
func (r *Repository) AddSubmodule(of *Repository, path, url string) {
	r.t.Helper()
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", of.Bare, path)
	r.Git("config", "--file", ".gitmodules", "submodule."+path+".url", url)
}

func run(t testing.TB, dir, input string, args ...string) string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), isolation...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// isolation keeps git from reading the configuration of whoever runs the tests.
var isolation = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
	"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
}
