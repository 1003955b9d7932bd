package podconfig

import (
	"slices"
	"strings"
)

// Unverified returns the upstreams that have a server whose certificate is not looked at.
func (c Config) Unverified() []string {
	var found []string
	section := ""
	for _, l := range c.lines {
		fields := strings.Fields(l.text)
		if l.begins {
			section = fields[1]
		}
		verify := slices.Index(fields, "verify")
		if verify > 0 && verify+1 < len(fields) && fields[verify+1] == "none" && !slices.Contains(found, section) {
			found = append(found, section)
		}
	}
	return found
}
