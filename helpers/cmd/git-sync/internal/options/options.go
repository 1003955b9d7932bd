// Package options reads the command line and the environment.
package options

import (
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/hook"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
)

// Options is what the user wants. Parse has checked it.
type Options struct {
	Repository  remote.Repository
	Credentials remote.Credentials
	Ref         string
	Depth       int

	Root       string // absolute
	Link       string // absolute, inside Root
	GroupWrite bool

	Period      time.Duration
	SyncTimeout time.Duration
	MaxFailures int
	OneTime     bool

	Exec           hook.Command // no path: none
	ExecTimeout    time.Duration
	ExecBackoff    time.Duration
	Webhook        hook.Webhook // no URL: none
	WebhookTimeout time.Duration
	WebhookBackoff time.Duration

	HTTPBind string // empty: no server
}
