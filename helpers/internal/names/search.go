// Package names follows the addresses of host names.
//
// HAProxy could resolve names itself, but not as a Pod needs it: it knows no search list, forgets all addresses at a
// reload, can't tell an empty answer from a server that fails, and gives an address to one endpoint of a name only.
package names

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// defaultDots and maxDots are ndots of resolv.conf, when it is not said and at most.
const defaultDots, maxDots = 1, 15

// Search is the part of resolv.conf that is about names.
type Search struct {
	Domains []string
	Dots    int
}

// ParseSearch reads a resolv.conf.
func ParseSearch(r io.Reader) (Search, error) {
	search := Search{Dots: defaultDots}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		switch fields[0] {
		case "search", "domain":
			search.Domains = fields[1:]
		case "options":
			for _, option := range fields[1:] {
				if dots, found := strings.CutPrefix(option, "ndots:"); found {
					if n, err := strconv.Atoi(dots); err == nil {
						search.Dots = min(max(n, 0), maxDots)
					}
				}
			}
		}
	}
	return search, lines.Err()
}

// Candidates are the absolute names that a name can mean, in the order in which to try them.
func (s Search) Candidates(name string) []string {
	if absolute, found := strings.CutSuffix(name, "."); found {
		return []string{absolute}
	}
	var below []string
	for _, domain := range s.Domains {
		if domain = strings.Trim(domain, "."); domain != "" {
			below = append(below, name+"."+domain)
		}
	}
	if strings.Count(name, ".") >= s.Dots {
		return append([]string{name}, below...)
	}
	return append(below, name)
}
