package options

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/syncer"
)

// setting is one option, given by flag or by environment variable.
type setting struct {
	name     string
	operand  string // what stands for the value in the help; empty for a switch
	fallback string
	help     string
	// set takes a value that is not empty. Its error says what is wrong and what to write instead, and does not
	// repeat the value, which may hold a secret.
	set func(o *Options, value string) error
}

func (s setting) variable() string {
	return "GITSYNC_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

var settings = []setting{
	{"repo", "URL", "", "The repository: https://, http://, ssh:// or user@host:path. Required.",
		func(o *Options, value string) (err error) {
			if o.Repository, err = remote.ParseRepository(value); err != nil {
				return fmt.Errorf("%w; write one such as https://git.example.com/team/site.git", err)
			}
			return nil
		}},
	{"ref", "REF", "HEAD", "A branch, a tag, a full ref name such as refs/heads/main, or a commit's full hash.",
		text(func(o *Options) *string { return &o.Ref })},
	{"depth", "N", "1", "How many commits of history to fetch; 0 means all. Only the ref's own commit is published, so more than 1 has no use but to spare servers that make shallow packs slowly.",
		integer(0, func(o *Options) *int { return &o.Depth })},
	{"root", "DIR", "", "The directory to work in, usually the mount point of a volume. Nothing is written outside it. Required.",
		func(o *Options, value string) (err error) {
			o.Root, err = filepath.Abs(value)
			return err
		}},
	{"link", "PATH", "", "The symlink to publish, absolute or relative to the root, inside the root. By default it is named as git clone would name the repository.",
		text(func(o *Options) *string { return &o.Link })},
	{"group-write", "", "false", "Let the group write to what is checked out.",
		boolean(func(o *Options) *bool { return &o.GroupWrite })},
	{"period", "DURATION", "10s", "The time from the end of one sync to the start of the next. The tree before the published one is kept for at least so long.",
		duration(func(o *Options) *time.Duration { return &o.Period })},
	{"sync-timeout", "DURATION", "2m", "The longest a sync may take, everything included.",
		duration(func(o *Options) *time.Duration { return &o.SyncTimeout })},
	{"max-failures", "N", strconv.Itoa(syncer.Unlimited), "How many failed syncs in a row to bear before exiting; -1 means to keep trying.",
		integer(syncer.Unlimited, func(o *Options) *int { return &o.MaxFailures })},
	{"one-time", "", "false", "Sync once, run the hooks once, exit.",
		boolean(func(o *Options) *bool { return &o.OneTime })},
	{"username", "NAME", "", "The user for HTTP or SSH, by default the URL's, else git.",
		text(func(o *Options) *string { return &o.Credentials.Username })},
	{"password-file", "FILE", "", "A file with the password or token for HTTP.",
		text(func(o *Options) *string { return &o.Credentials.PasswordFile })},
	{"ssh-key-file", "FILE", "", "A file with the private key for SSH, without a passphrase.",
		text(func(o *Options) *string { return &o.Credentials.SSHKeyFile })},
	{"ssh-known-hosts-file", "FILE", "", "A file with the server's SSH host keys, as ssh-keyscan prints them.",
		text(func(o *Options) *string { return &o.Credentials.KnownHostsFile })},
	{"ca-file", "FILE", "", "A file with PEM certificates to trust besides the usual ones, for the repository and the webhook.",
		text(func(o *Options) *string { return &o.Credentials.CAFile })},
	{"exec-command", "PATH", "", "A program to run after a change; absolute, or relative to the published tree.",
		text(func(o *Options) *string { return &o.Exec.Path })},
	{"exec-timeout", "DURATION", "30s", "The longest an attempt to run it may take.",
		duration(func(o *Options) *time.Duration { return &o.ExecTimeout })},
	{"exec-backoff", "DURATION", "3s", "The wait before running it again after a failure.",
		duration(func(o *Options) *time.Duration { return &o.ExecBackoff })},
	{"webhook-url", "URL", "", "An http or https URL to request after a change.",
		func(o *Options, value string) error {
			address, err := url.Parse(value)
			if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
				return errors.New("not an http or https URL; write one such as http://localhost:8080/reload")
			}
			o.Webhook.URL = value
			return nil
		}},
	{"webhook-method", "METHOD", http.MethodPost, "The method of that request.",
		text(func(o *Options) *string { return &o.Webhook.Method })},
	{"webhook-success-status", "CODE", "200", "The HTTP status that means success; 0 takes any answer.",
		integer(0, func(o *Options) *int { return &o.Webhook.SuccessStatus })},
	{"webhook-timeout", "DURATION", "1s", "The longest an attempt to request it may take.",
		duration(func(o *Options) *time.Duration { return &o.WebhookTimeout })},
	{"webhook-backoff", "DURATION", "3s", "The wait before requesting it again after a failure.",
		duration(func(o *Options) *time.Duration { return &o.WebhookBackoff })},
	{"http-bind", "ADDRESS", "", "Where to serve /healthz and /metrics, such as :8080. By default nowhere.",
		func(o *Options, value string) error {
			if _, _, err := net.SplitHostPort(value); err != nil {
				return errors.New("not an address; write a port such as :8080, or host and port such as 127.0.0.1:8080")
			}
			o.HTTPBind = value
			return nil
		}},
}

func text(field func(*Options) *string) func(*Options, string) error {
	return func(o *Options, value string) error {
		*field(o) = value
		return nil
	}
}

func integer(least int, field func(*Options) *int) func(*Options, string) error {
	return func(o *Options, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > math.MaxInt32 {
			return fmt.Errorf("not a number in range; write a whole number from %d on", least)
		}
		*field(o) = n
		return nil
	}
}

func boolean(field func(*Options) *bool) func(*Options, string) error {
	return func(o *Options, value string) (err error) {
		if *field(o), err = strconv.ParseBool(value); err != nil {
			return errors.New("neither true nor false; write one of them")
		}
		return nil
	}
}

func duration(field func(*Options) *time.Duration) func(*Options, string) error {
	return func(o *Options, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return errors.New("not a duration above zero; write a number with a unit, such as 10s or 1m30s")
		}
		*field(o) = d
		return nil
	}
}
