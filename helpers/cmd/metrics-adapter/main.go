// Metrics-adapter makes an application's own figures follow one monitoring model. metrics-adapter --help is the manual.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/adapter"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/options"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/source"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// The exit codes of the manual.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	o, err := options.Parse(os.Args[1:])
	switch {
	case errors.Is(err, options.ErrHelp):
		_, _ = io.WriteString(os.Stdout, options.Help())
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "metrics-adapter:", err)
		os.Exit(exitUsage)
	case o.Check:
		os.Exit(check(o.Config))
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := adapter.New(o.Config, o.Bind, source.Place{Volumes: o.Volumes, Proc: o.Proc, Secrets: o.Secrets}, log).Run(ctx); err != nil {
		var problems spec.Problems
		if errors.As(err, &problems) {
			for _, one := range problems {
				log.Error("the configuration is refused", "field", one.Field, "reason", one.Reason)
			}
		}
		log.Error("exiting", "error", err)
		os.Exit(exitFailure)
	}
}

// check prints all problems, one a line, and returns the exit code.
func check(file string) int {
	text, err := adapter.Read(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "metrics-adapter:", err)
		return exitUsage
	}
	_, problems := rule.Compile(text)
	if len(problems) > 0 {
		fmt.Println(problems)
	}
	if problems.Err() != nil {
		return exitFailure
	}
	return 0
}
