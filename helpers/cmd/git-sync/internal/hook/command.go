package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// maxOutput is how much of a failed command's output gets into the log.
	maxOutput = 2 << 10
	// outputGrace is how long a descendant that left the process group may hold the output open.
	outputGrace = time.Second
)

// Command runs a program, without arguments, in the published tree.
type Command struct {
	Path string
}

// Name returns "exec".
func (Command) Name() string { return "exec" }

// Tell runs the program. Whatever it leaves running in its process group ends with it.
func (c Command) Tell(ctx context.Context, published Published) error {
	command := exec.CommandContext(ctx, c.Path)
	command.Dir = published.Tree
	command.Env = append(os.Environ(), "GITSYNC_HASH="+published.Hash)
	var output tail
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = outputGrace
	err := command.Run()
	if command.Process != nil {
		endGroup(command.Process.Pid)
	}
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("%w (output: %q)", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// endGroup kills what is left of a process group and reaps what became our child: as process 1 of a container
// we inherit every orphan, and nobody else would.
func endGroup(group int) {
	_ = syscall.Kill(-group, syscall.SIGKILL)
	for {
		if _, err := syscall.Wait4(-group, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// tail keeps the last maxOutput bytes written to it.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	if excess := len(*t) - maxOutput; excess > 0 {
		*t = append((*t)[:0], (*t)[excess:]...)
	}
	return len(p), nil
}
