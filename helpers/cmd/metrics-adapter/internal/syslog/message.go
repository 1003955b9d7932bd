// Package syslog reads messages of syslog, in the formats of RFC 5424 and of RFC 3164, as local programs send them: with or
// without a host's name, ended by a newline, a NUL or nothing, or with their length in front.
package syslog

import (
	"strconv"
	"strings"

	lib "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/auto"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

// maxPriority is the highest facility with the lowest severity.
const maxPriority = 23*8 + 7

// parser is one goroutine's.
type parser struct{ machine lib.Machine }

func newParser() *parser {
	return &parser{auto.NewMachine(auto.WithRFC3164Options(
		rfc3164.WithRFC3339(), rfc3164.WithSecondFractions(), rfc3164.WithLenientDay(), rfc3164.WithEmbeddedNewlines(),
	))}
}

// parse returns a message's text and header. A message must begin with its priority; where what follows is in neither
// format, all of it is the text, as RFC 3164 has it (4.3.3).
func (p *parser) parse(message string) (text string, header rule.Header, ok bool) {
	message = strings.TrimRight(message, "\r\n\x00")
	priority, rest, ok := cutPriority(message)
	if !ok {
		return "", header, false
	}
	var base lib.Base
	switch parsed, _ := p.machine.Parse([]byte(message)); parsed := parsed.(type) {
	case *rfc5424.SyslogMessage:
		base = parsed.Base
	case *rfc3164.SyslogMessage:
		base = parsed.Base
	default:
		base.ComputeFromPriority(priority)
		base.Message = &rest
	}
	header = rule.Header{value(base.SeverityShortLevel()), value(base.FacilityLevel()), value(base.Appname), value(base.Hostname)}
	return strings.TrimPrefix(value(base.Message), "\uFEFF"), header, true
}

// cutPriority cuts off what a message begins with: <13>.
func cutPriority(message string) (priority uint8, rest string, ok bool) {
	number, rest, found := strings.Cut(message, ">")
	number, begins := strings.CutPrefix(number, "<")
	parsed, err := strconv.ParseUint(number, 10, 8)
	return uint8(parsed), rest, found && begins && err == nil && parsed <= maxPriority
}

func value(of *string) string {
	if of == nil {
		return ""
	}
	return *of
}
