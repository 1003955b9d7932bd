package spec

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong: where, what, and what to do about it.
type Problem struct {
	Field  string // rules[3].regex
	Reason string
	// Warning tells that it is taken all the same.
	Warning bool
}

func (p Problem) String() string {
	text := p.Field + ": " + p.Reason
	if p.Warning {
		text = "warning: " + text
	}
	// A library's message may have several lines, with a mark below the place.
	return strings.Join(strings.Fields(text), " ")
}

// Problems is everything wrong with a spec.
type Problems []Problem

// Add notes one.
func (p *Problems) Add(field, reason string, args ...any) {
	*p = append(*p, Problem{Field: field, Reason: fmt.Sprintf(reason, args...)})
}

// Warn notes something that is against conventions and works.
func (p *Problems) Warn(field, reason string, args ...any) {
	*p = append(*p, Problem{field, fmt.Sprintf(reason, args...), true})
}

// Error is one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Err is what keeps the spec from being taken, nil if nothing does.
func (p Problems) Err() error {
	if refused := p.those(false); len(refused) > 0 {
		return refused
	}
	return nil
}

// Warnings are those that don't.
func (p Problems) Warnings() Problems { return p.those(true) }

func (p Problems) those(warning bool) (all Problems) {
	for _, one := range p {
		if one.Warning == warning {
			all = append(all, one)
		}
	}
	return all
}
