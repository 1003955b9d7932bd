// Package names makes the host names of a configuration absolute.
//
// HAProxy asks for a name as it is written and knows no search list, while in a Pod a Service is called
// redis or redis.shop: resolv.conf says what to try (man 5 resolv.conf).
package names

import (
	"bufio"
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// lookupTime is the most that one question may take.
	lookupTime = 3 * time.Second
	// lookups is how many questions are asked at once.
	lookups = 8
	// defaultDots and maxDots are ndots of resolv.conf, when it is not said and at most.
	defaultDots, maxDots = 1, 15
)

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

// Exists says whether an absolute name has an address.
type Exists func(ctx context.Context, name string) bool

// Ask asks the Pod's resolver.
func Ask(ctx context.Context, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name+".")
	return err == nil && len(addresses) > 0
}

// Resolver remembers the names that it found.
type Resolver struct {
	search Search
	exists Exists
	known  map[string]string
}

// NewResolver makes a Resolver that asks exists about the candidates of search.
func NewResolver(search Search, exists Exists) *Resolver {
	return &Resolver{search, exists, map[string]string{}}
}

// Absolute gives the configuration with absolute names in its server-template lines, and the names that mean
// nothing yet: those stay as they are.
func (r *Resolver) Absolute(ctx context.Context, text string) (absolute string, unknown []string) {
	lines := strings.SplitAfter(text, "\n")
	asked := map[string]bool{}
	for _, line := range lines {
		if _, host, _, found := template(line); found && r.known[host] == "" && !asked[host] {
			asked[host] = true
			unknown = append(unknown, host)
		}
	}
	unknown = r.resolve(ctx, unknown)
	for i, line := range lines {
		if before, host, after, found := template(line); found && r.known[host] != "" {
			lines[i] = before + r.known[host] + after
		}
	}
	return strings.Join(lines, ""), unknown
}

// resolve asks for names and returns those that were not found.
func (r *Resolver) resolve(ctx context.Context, hosts []string) []string {
	found := make([]string, len(hosts))
	var group sync.WaitGroup
	turns := make(chan struct{}, lookups)
	for i, host := range hosts {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			for _, candidate := range r.search.Candidates(host) {
				if r.exists(ctx, candidate) {
					found[i] = candidate
					return
				}
			}
		})
	}
	group.Wait()
	var unknown []string
	for i, host := range hosts {
		if found[i] == "" {
			unknown = append(unknown, host)
		} else {
			r.known[host] = found[i]
		}
	}
	return unknown
}

// template takes a server-template line apart: server-template PREFIX NUMBER HOST:PORT …
func template(line string) (before, host, after string, found bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[0] != "server-template" {
		return "", "", "", false
	}
	address := fields[3]
	host, _, found = strings.Cut(address, ":")
	if !found {
		return "", "", "", false
	}
	start := strings.Index(line, " "+address) + 1
	return line[:start], host, line[start+len(host):], true
}
