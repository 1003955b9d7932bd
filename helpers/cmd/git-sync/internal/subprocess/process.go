// Package subprocess runs programs so that nothing of them is left.
package subprocess

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// outputGrace is how long a descendant that left the process group may hold the output open.
const outputGrace = time.Second

// running holds the processes that somebody here waits for. The reaper leaves them alone.
var running = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// Run runs a command in a process group of its own, until it ends or ctx does. What it leaves running in the group ends
// with it. The command is one that exec.Command made, without a context.
func Run(ctx context.Context, command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	command.WaitDelay = outputGrace
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := start(command); err != nil {
		return err
	}
	group := command.Process.Pid
	ended := make(chan struct{})
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		select {
		case <-ctx.Done():
			_ = syscall.Kill(-group, syscall.SIGKILL)
		case <-ended:
		}
	}()
	err := command.Wait()
	close(ended)
	<-killed
	_ = syscall.Kill(-group, syscall.SIGKILL)
	forget(group)
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// start holds the lock while there is a child that isn't in the map yet.
func start(command *exec.Cmd) error {
	running.Lock()
	defer running.Unlock()
	if err := command.Start(); err != nil {
		return err
	}
	running.pids[command.Process.Pid] = true
	return nil
}

func forget(pid int) {
	running.Lock()
	delete(running.pids, pid)
	running.Unlock()
	// An orphan may have got the same number, and was taken for ours.
	select {
	case again <- struct{}{}:
	default:
	}
}
