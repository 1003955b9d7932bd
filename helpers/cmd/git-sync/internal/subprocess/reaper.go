package subprocess

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// again makes the reaper look once more.
var again = make(chan struct{}, 1)

// Reap reaps every orphan that ends, until ctx does. As process 1 of a container we inherit them, and nobody else would. All
// other children must be those of Run.
func Reap(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	for {
		reapOrphans()
		select {
		case <-ctx.Done():
			return
		case <-ended:
		case <-again:
		}
	}
}

// reapOrphans takes the children one by one: to wait for any would take those from whoever started them.
func reapOrphans() {
	running.Lock()
	defer running.Unlock()
	for _, pid := range children() {
		if !running.pids[pid] {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// children returns our children. Each thread has its own.
func children() []int {
	lists, _ := filepath.Glob("/proc/self/task/*/children") // the pattern is well formed
	var pids []int
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(content)) {
			var pid int
			if _, err := fmt.Sscan(word, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
