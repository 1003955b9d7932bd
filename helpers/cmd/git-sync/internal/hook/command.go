package hook

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"podpatterns.dev/helpers/cmd/git-sync/internal/subprocess"
)

// maxOutput is how much of a failed command's output gets into the log.
const maxOutput = 2 << 10

// Command runs a program, without arguments, in the published tree.
type Command struct {
	Path string
}

// Name returns "exechook".
func (Command) Name() string { return "exechook" }

// Tell runs the program. Whatever it leaves running in its process group ends with it.
func (c Command) Tell(ctx context.Context, published Published) error {
	command := exec.Command(c.Path)
	command.Dir = published.Tree
	command.Env = append(os.Environ(), "GITSYNC_HASH="+published.Hash)
	output := &subprocess.Tail{Limit: maxOutput}
	command.Stdout, command.Stderr = output, output
	if err := subprocess.Run(ctx, command); err != nil {
		return fmt.Errorf("%w (output: %q)", err, strings.TrimSpace(output.String()))
	}
	return nil
}
