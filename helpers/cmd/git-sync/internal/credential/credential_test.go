package credential

import (
	"strings"
	"testing"
)

func TestTheCredentialThatSaysMostIsChosen(t *testing.T) {
	all := []Credential{
		{Protocol: "https", Host: "git.example.com", Username: "server"},
		{Protocol: "https", Host: "git.example.com", Path: "team", Username: "team"},
		{Protocol: "https", Host: "git.example.com", Path: "team/site.git", Username: "site"},
		{Protocol: "https", Host: "git.example.com:8443", Username: "port"},
	}
	for url, want := range map[string]string{
		"https git.example.com team/site.git":     "site",
		"https git.example.com team/other.git":    "team",
		"https git.example.com teams/site.git":    "server",
		"https git.example.com ":                  "server",
		"https git.example.com:8443 team/x.git":   "port",
		"http git.example.com team/site.git":      "",
		"https evil.example.com team/site.git":    "",
		"https git.example.com.evil.com team.git": "",
	} {
		part := strings.Split(url, " ")
		if got, ok := choose(all, part[0], part[1], part[2]); got.Username != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", url, got.Username, want)
		}
	}
}

func TestRedact(t *testing.T) {
	all := []Credential{{Username: "bot", Password: "s3cret/one two"}, {Username: "t0ken"}, {}}
	got := Redact("s3cret/one two, s3cret%2Fone%20two, s3cret%2Fone+two, Ym90OnMzY3JldC9vbmUgdHdv, t0ken, bot", all)
	if want := "[redacted], [redacted], [redacted], [redacted], [redacted], bot"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
