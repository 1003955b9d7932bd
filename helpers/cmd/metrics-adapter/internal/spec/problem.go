package spec

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong: where, what, and what to do about it.
type Problem struct {
	Field  string // rules[3].regex
	Reason string
}

func (p Problem) String() string { return p.Field + ": " + p.Reason }

// Problems is everything wrong with a spec.
type Problems []Problem

// Add notes one.
func (p *Problems) Add(field, reason string, args ...any) {
	*p = append(*p, Problem{field, fmt.Sprintf(reason, args...)})
}

// Error is one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		// A library's message may have several lines, with a mark below the place.
		lines[i] = strings.Join(strings.Fields(one.String()), " ")
	}
	return strings.Join(lines, "\n")
}

// Err is nil if there is none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
