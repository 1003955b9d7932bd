package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"podpatterns.dev/helpers/cmd/git-sync/internal/subprocess"
	"podpatterns.dev/helpers/internal/processtest"
)

func tell(t *testing.T, timeout time.Duration, body string) (string, error) {
	t.Helper()
	tree := t.TempDir()
	path := filepath.Join(tree, "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return tree, Command{Path: "./hook"}.Tell(ctx, Published{Hash: "abc", Tree: tree})
}

func TestCommandThatOutlivesItsTimeout(t *testing.T) {
	start := time.Now()
	_, err := tell(t, time.Second, "echo started; sleep 1000")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "started") {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// As process 1 of a container, git-sync becomes the parent of every orphan. Here it is made so by a flag.
func TestNothingACommandStartedIsLeft(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	go subprocess.Reap(t.Context())
	for name, end := range map[string]string{"success": "exit 0", "failure": "exit 1", "timeout": "sleep 1000"} {
		t.Run(name, func(t *testing.T) {
			tree, _ := tell(t, 2*time.Second, "sleep 1000 >/dev/null 2>&1 & echo $! >pid; (sleep 0 &); (setsid sleep 0.1 &); "+end)
			content, err := os.ReadFile(filepath.Join(tree, "pid"))
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
			if err != nil {
				t.Fatal(err)
			}
			processtest.Eventually(t, fmt.Sprintf("process %d is gone, not even a zombie", pid), func() bool {
				return syscall.Kill(pid, 0) == syscall.ESRCH
			})
		})
	}
}

func TestLongOutputIsCut(t *testing.T) {
	_, err := tell(t, time.Minute, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 3")
	if err == nil || !strings.Contains(err.Error(), "line 1999") || strings.Contains(err.Error(), "line 10\n") || len(err.Error()) > 2*maxOutput {
		t.Error(err)
	}
}

func TestMissingCommand(t *testing.T) {
	err := Command{Path: "./missing"}.Tell(context.Background(), Published{Hash: "abc", Tree: t.TempDir()})
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
