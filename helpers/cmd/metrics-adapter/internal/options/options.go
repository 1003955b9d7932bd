// Package options reads the command line.
package options

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
)

//go:embed help.txt
var manual string

// Help is the manual.
func Help() string { return manual }

// Options are the flags' values.
type Options struct {
	Config  string
	Check   bool
	Volumes string
	Bind    string
	Proc    string
	Secrets string
}

// ErrHelp means that the user wants the manual.
var ErrHelp = flag.ErrHelp

// Parse reads the arguments, the program's name not among them. The manual documents each flag.
func Parse(arguments []string) (Options, error) {
	var o Options
	flags := flag.NewFlagSet("metrics-adapter", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Config, "config", "", "")
	flags.BoolVar(&o.Check, "check", false, "")
	flags.StringVar(&o.Volumes, "volumes", "/volumes", "")
	flags.StringVar(&o.Bind, "bind", "", "")
	flags.StringVar(&o.Proc, "proc", "/proc", "")
	flags.StringVar(&o.Secrets, "secrets", ".", "")
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return o, ErrHelp
	case err != nil:
		return o, fmt.Errorf("%w; metrics-adapter --help lists the flags", err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; metrics-adapter --help lists the flags", flags.Arg(0))
	case o.Config == "":
		return o, errors.New("--config is missing; give a file with an Adapter's spec")
	}
	return o, nil
}
