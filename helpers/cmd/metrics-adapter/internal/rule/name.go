package rule

import "strings"

// Name is the path of a rule for StatsD: a name, in which * between dots stands for one part of any content, as in
// statsd_exporter's mappings. The parts are the groups 1, 2 and so on.
type Name struct {
	exact string
	parts []string // nil without *
}

func newName(path string) *Name {
	n := &Name{exact: path}
	for part := range strings.SplitSeq(path, ".") {
		if part == "*" {
			n.parts = strings.Split(path, ".")
			break
		}
	}
	return n
}

// Match tells whether a metric's name fits.
func (n *Name) Match(name string) bool {
	if n.parts == nil {
		return name == n.exact
	}
	rest, more := name, true
	for _, part := range n.parts {
		if !more {
			return false
		}
		var own string
		own, rest, more = strings.Cut(rest, ".")
		if part != "*" && part != own {
			return false
		}
	}
	return !more
}

// Capture returns what the nth * stands for in a name that matches, counted from 1.
func (n *Name) Capture(name string, nth int) string {
	for _, part := range n.parts {
		var own string
		own, name, _ = strings.Cut(name, ".")
		if part == "*" {
			if nth--; nth == 0 {
				return own
			}
		}
	}
	return ""
}
