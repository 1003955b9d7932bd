package options

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
)

// ErrHelp says that the user asked for Help.
var ErrHelp = flag.ErrHelp

// Parse reads the arguments, without the program's name, and for what they don't say the environment.
// An empty value counts as not given. An error names the flag or variable and the remedy.
func Parse(args []string, getenv func(string) string) (Options, error) {
	given, err := parseArguments(args)
	if err != nil {
		return Options{}, err
	}
	var o Options
	for _, s := range settings {
		value, source := given[s.name], "--"+s.name
		if value == "" {
			value, source = getenv(s.variable()), s.variable()
		}
		if value == "" {
			value = s.fallback
		}
		if value == "" {
			continue
		}
		if err := s.set(&o, value); err != nil {
			return Options{}, fmt.Errorf("%s: %w", source, err)
		}
	}
	return o, o.complete()
}

func parseArguments(args []string) (map[string]string, error) {
	given := map[string]string{}
	flags := flag.NewFlagSet("git-sync", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, s := range settings {
		flags.Var(argument{s, given}, s.name, "")
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, ErrHelp):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w; git-sync --help lists the flags", err)
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q; everything is said by flags, which git-sync --help lists", flags.Arg(0))
	}
	return given, nil
}

// argument collects a flag's value as it stands: arguments and environment are then read by the same code.
type argument struct {
	setting setting
	given   map[string]string
}

func (a argument) String() string { return "" }

func (a argument) Set(value string) error {
	if before := a.given[a.setting.name]; before != "" && a.setting.separator != "" {
		value = before + a.setting.separator + value
	}
	a.given[a.setting.name] = value
	return nil
}

// IsBoolFlag lets a switch stand without a value.
func (a argument) IsBoolFlag() bool { return a.setting.operand == "" }

// complete checks what one setting says about another and derives the link.
func (o *Options) complete() error {
	if o.Repository.Name() == "" {
		return errors.New("--repo: missing; write the repository's URL with its path, such as https://git.example.com/team/site.git")
	}
	if o.Root == "" {
		return errors.New("--root: missing; write the directory to work in, such as the mount point of a shared volume")
	}
	if o.AskpassURL != "" && o.PasswordFile != "" {
		return errors.New("--askpass-url, --password-file: the repository's server has one password; leave one of them out")
	}
	if o.StaleTree == 0 {
		o.StaleTree = o.Period
	}
	if o.Link == "" {
		o.Link = o.Repository.Name()
	}
	link, err := volume.LinkPath(o.Root, o.Link)
	if err != nil {
		return fmt.Errorf("--link: %w; write a path inside --root, such as current", err)
	}
	o.Link = link
	o.Webhook.CAFile = o.CAFile
	return nil
}
