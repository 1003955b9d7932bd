// Package credential decides what a git server gets to see, and hands it to git without it being in an argument, a variable
// or a file.
package credential

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// Credential is a user and a password for a server, or for a part of it.
type Credential struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	// Path is without the slash before it; "" is the whole server.
	Path     string `json:"path,omitempty"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// fits tells whether the credential is for a URL.
func (c Credential) fits(protocol, host, path string) bool {
	inside := c.Path == "" || path == c.Path || strings.HasPrefix(path, c.Path+"/")
	return c.Protocol == protocol && c.Host == host && inside
}

// choose returns the credential for a URL that says most about it.
func choose(all []Credential, protocol, host, path string) (Credential, bool) {
	fitting := slices.DeleteFunc(slices.Clone(all), func(c Credential) bool { return !c.fits(protocol, host, path) })
	if len(fitting) == 0 {
		return Credential{}, false
	}
	return slices.MaxFunc(fitting, func(a, b Credential) int { return len(a.Path) - len(b.Path) }), true
}

// Redact takes out of a text every form in which a server could echo the credentials.
func Redact(text string, all []Credential) string {
	for _, c := range all {
		secret := c.Password
		if secret == "" {
			secret = c.Username // https://TOKEN@host/
		}
		pair := base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
		for _, form := range []string{pair, url.QueryEscape(secret), url.PathEscape(secret), secret} {
			if form != "" {
				text = strings.ReplaceAll(text, form, "[redacted]")
			}
		}
	}
	return text
}
