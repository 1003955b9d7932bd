package subprocess

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"podpatterns.dev/helpers/internal/processtest"
)

// As process 1 of a container, git-sync becomes the parent of every orphan. Here it is made so by a flag.
func TestOrphansOfAnyGroupAreReaped(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	go Reap(t.Context())
	output := Tail{Limit: 100}
	command := exec.Command("sh", "-c", "setsid sh -c 'echo $$; exec >/dev/null 2>&1; sleep 0.2' & sleep 0.1")
	command.Stdout = &output
	if err := Run(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(output.String()))
	if err != nil {
		t.Fatal(err)
	}
	processtest.Eventually(t, "the orphan is gone, not even a zombie", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}

func TestTheReaperLeavesOthersChildrenAlone(t *testing.T) {
	go Reap(t.Context())
	for range 50 {
		if err := Run(t.Context(), exec.Command("sh", "-c", "exit 3")); err == nil || err.Error() != "exit status 3" {
			t.Fatalf("%v", err)
		}
	}
	if left, err := filepath.Glob("/proc/self/task/*/children"); err != nil || len(left) == 0 {
		t.Errorf("this kernel doesn't list children: %v", err)
	}
}
