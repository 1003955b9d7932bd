// Package options reads the command line and the environment.
package options

import (
	"os"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/hook"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
)

// Options is what the user wants. Parse has checked it.
type Options struct {
	Repository remote.Repository
	Ref        string
	Depth      int
	Filter     string // empty: none
	Submodules string
	LFS        bool
	SparseFile string // empty: everything

	Username       string
	PasswordFile   string
	Credentials    []credential.Other
	AskpassURL     string // empty: none
	SSHKeyFiles    []string
	KnownHostsFile string
	CAFile         string

	Root       string // absolute
	Link       string // absolute, inside Root
	GroupWrite bool

	Period       time.Duration
	StaleTree    time.Duration
	StaleAfter   time.Duration // 0: never
	SyncTimeout  time.Duration
	SyncOnSignal os.Signal // nil: none
	MaxFailures  int
	OneTime      bool

	Exec           hook.Command // no path: none
	ExecTimeout    time.Duration
	ExecBackoff    time.Duration
	Webhook        hook.Webhook // no URL: none
	WebhookTimeout time.Duration
	WebhookBackoff time.Duration

	HTTPBind string // empty: no server
}
