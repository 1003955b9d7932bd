// Package podconfig turns the configuration that the operator writes into the one that HAProxy runs in this Pod: with
// the addresses that names have, and at both addresses of loopback.
package podconfig

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
)

// sections are the keywords that begin one: https://docs.haproxy.org/2.6/configuration.html#2.1
var sections = []string{"global", "defaults", "listen", "frontend", "backend", "resolvers"}

const loopback4, loopback6 = "127.0.0.1:", "[::1]:"

// Config is a configuration as it was read.
type Config struct {
	lines []line
}

// line is one of the text, and the template that it is.
type line struct {
	text     string
	template *Template
	begins   bool // it begins a section
	servers  bool // which has servers
	isHTTP   bool // and speaks HTTP
}

// Template is a server-template line: as many servers as it has slots for the addresses of one name.
type Template struct {
	Backend, Prefix, Host string
	Slots                 int
	port                  string
	options               []string
}

// Parse reads a configuration.
func Parse(text string) Config {
	var c Config
	name, keyword, beginning, byDefault := "", "", 0, false
	for one := range strings.Lines(text) {
		fields := strings.Fields(one)
		l := line{text: one}
		switch {
		case len(fields) > 0 && slices.Contains(sections, fields[0]):
			keyword, beginning = fields[0], len(c.lines)
			byDefault = byDefault && keyword != "defaults"
			if len(fields) > 1 {
				name = fields[1]
				l.begins, l.servers, l.isHTTP = true, keyword == "listen", byDefault
			}
		case len(fields) == 2 && fields[0] == "mode" && keyword == "defaults":
			byDefault = fields[1] == "http"
		case len(fields) == 2 && fields[0] == "mode":
			c.lines[beginning].isHTTP = fields[1] == "http"
		}
		l.template = template(name, fields)
		c.lines = append(c.lines, l)
	}
	return c
}

// Upstreams returns the names of those that there are, and which of them speak HTTP.
func (c Config) Upstreams() map[string]bool {
	found := map[string]bool{}
	for _, l := range c.lines {
		if l.servers {
			found[strings.Fields(l.text)[1]] = l.isHTTP
		}
	}
	return found
}

// template reads: server-template PREFIX SLOTS HOST:PORT OPTION…; nil if it is something else.
func template(section string, fields []string) *Template {
	if len(fields) < 4 || fields[0] != "server-template" {
		return nil
	}
	slots, err := strconv.Atoi(fields[2])
	host, port, errAddress := net.SplitHostPort(fields[3])
	if err != nil || errAddress != nil {
		return nil
	}
	return &Template{section, fields[1], host, slots, port, fields[4:]}
}

// Templates returns those of the configuration.
func (c Config) Templates() []Template {
	var found []Template
	for _, l := range c.lines {
		if l.template != nil {
			found = append(found, *l.template)
		}
	}
	return found
}

// Hosts returns the names that the configuration speaks of.
func (c Config) Hosts() []string {
	var hosts []string
	for _, t := range c.Templates() {
		if !slices.Contains(hosts, t.Host) {
			hosts = append(hosts, t.Host)
		}
	}
	return hosts
}

// Text returns the configuration to run: with the addresses in their slots, the servers that are known to be down, the log
// that is observed and, where loopback has ::1, at that too.
func (c Config) Text(slots Slots, dual bool) string {
	var text strings.Builder
	for _, l := range c.lines {
		switch {
		case l.template != nil:
			l.template.write(&text, slots)
		case l.servers:
			text.WriteString(l.text)
			text.WriteString("    load-server-state-from-file global\n")
			text.WriteString(observation.Lines(l.isHTTP))
		case dual && isLoopbackBind(l.text):
			text.WriteString(l.text)
			text.WriteString(strings.Replace(l.text, loopback4, loopback6, 1))
		default:
			text.WriteString(l.text)
		}
	}
	return text.String()
}

// write writes a server a slot. One without an address is there to get one, and takes no connections.
func (t Template) write(text *strings.Builder, slots Slots) {
	for i, address := range slots.of(t) {
		host, options := "0.0.0.0", append(slices.Clone(t.options), "disabled")
		if address.IsValid() {
			host, options = address.String(), t.options
		}
		words := append([]string{"    server", t.server(i), net.JoinHostPort(host, t.port)}, options...)
		text.WriteString(strings.Join(words, " ") + "\n")
	}
}

// server returns the name of a slot's server, as HAProxy itself would call it.
func (t Template) server(slot int) string {
	return t.Prefix + strconv.Itoa(slot+1)
}

func isLoopbackBind(text string) bool {
	fields := strings.Fields(text)
	return len(fields) > 1 && fields[0] == "bind" && strings.HasPrefix(fields[1], loopback4)
}
