// Package keeper is what programs have alike that keep another one at its configuration: their flags, and how they end.
package keeper

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"podpatterns.dev/helpers/internal/lastwords"
	"podpatterns.dev/helpers/internal/names"
)

// Keeper is one of those programs. Its Flags may have further ones.
type Keeper struct {
	Flags *flag.FlagSet

	// Config, Program, RunDirectory and Metrics are what flags say.
	Config, Program, RunDirectory, Metrics string
	// Search and Ask resolve host names as the Pod does.
	Search names.Search
	Ask    names.Ask

	nameserver, lastWords string
}

// New makes a keeper of a program, which has a version and a configuration.
func New(name, usage, program, version, config string) *Keeper {
	k := &Keeper{Flags: flag.NewFlagSet(name, flag.ContinueOnError)}
	k.Flags.Usage = func() {
		fmt.Fprint(k.Flags.Output(), usage)
		k.Flags.PrintDefaults()
	}
	k.Flags.StringVar(&k.Config, "config", config, "the configuration's `FILE`")
	k.Flags.StringVar(&k.Metrics, "metrics", ":8404", "`ADDRESS` to serve the pages at")
	k.Flags.StringVar(&k.Program, program, program, "the `PROGRAM`, version "+version+" or newer")
	k.Flags.StringVar(&k.RunDirectory, "run", "/run/"+program, "`DIRECTORY` for sockets and "+program+"'s configurations")
	k.Flags.StringVar(&k.nameserver, "nameserver", "", "`ADDRESS` of the DNS server to ask (default those of /etc/resolv.conf)")
	k.Flags.StringVar(&k.lastWords, "termination-log", lastwords.Path, "`FILE` for the reason of an exit, if it exists")
	return k
}

// Main does the work, and ends the program if that fails.
func (k *Keeper) Main(work func(log *slog.Logger) error) {
	switch err := k.parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", k.Flags.Name(), err)
		os.Exit(2)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	err := k.resolve()
	if err == nil {
		err = work(log)
	}
	if err != nil {
		log.Error("exiting", "error", err)
		lastwords.Leave(k.lastWords, err)
		os.Exit(1)
	}
}

func (k *Keeper) parse(arguments []string) error {
	if err := k.Flags.Parse(arguments); err != nil {
		return err
	}
	if k.Flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", k.Flags.Arg(0))
	}
	return nil
}

func (k *Keeper) resolve() error {
	resolv, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return err
	}
	defer resolv.Close()
	k.Ask = names.Server(k.nameserver)
	k.Search, err = names.ParseSearch(resolv)
	return err
}
