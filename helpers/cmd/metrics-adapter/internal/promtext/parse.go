// Package promtext reads pages in Prometheus's text format and in OpenMetrics, as Prometheus itself takes them: line by
// line. Comments about types say nothing that a series needs, so that a second TYPE, one behind its samples, or none at all
// loses nothing; a line that cannot be read loses itself.
package promtext

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Label is a name and its value.
type Label struct{ Name, Value string }

// Sample is one series' value.
type Sample struct {
	Name   string
	Labels []Label // sorted by name, none of them empty
	Value  float64
}

// Page is what could be read.
type Page struct {
	samples map[string][]Sample
	types   map[string]string
	// Read and Bad are numbers of lines, comments not among them.
	Read, Bad int
}

// Parse reads a page. It keeps parts of the text.
func Parse(text string) *Page {
	p := &Page{samples: map[string][]Sample{}, types: map[string]string{}}
	var arena []Label
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
		switch {
		case line == "":
		case line == "# EOF":
			return p
		case line[0] == '#':
			p.comment(line)
		default:
			l := lexer{rest: line, labels: arena}
			sample, ok := l.sample()
			if !ok {
				p.Bad++
				continue
			}
			p.Read++
			arena = l.labels
			p.samples[sample.Name] = append(p.samples[sample.Name], sample)
		}
	}
	return p
}

// comment takes a TYPE. The first of a name counts.
func (p *Page) comment(line string) {
	words := strings.Fields(line)
	if len(words) == 4 && words[1] == "TYPE" && p.types[words[2]] == "" {
		p.types[words[2]] = words[3]
	}
}

// lexer reads one line.
type lexer struct {
	rest   string
	labels []Label // of all lines so far
}

func (l *lexer) sample() (s Sample, ok bool) {
	first := len(l.labels)
	s.Name = l.name(true)
	l.space()
	if l.take('{') {
		if !l.braces(&s.Name) {
			return s, false
		}
	}
	if s.Name == "" {
		return s, false
	}
	own := l.labels[first:]
	slices.SortFunc(own, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	for i := range own {
		if i > 0 && own[i].Name == own[i-1].Name {
			return s, false
		}
	}
	own = slices.DeleteFunc(own, func(one Label) bool { return one.Value == "" })
	l.labels = l.labels[:first+len(own)]
	s.Labels = own[:len(own):len(own)]
	return s, l.value(&s.Value)
}

// braces reads labels, and the name where it stands among them in quotes.
func (l *lexer) braces(name *string) bool {
	for {
		l.space()
		if l.take('}') {
			return true
		}
		label, quoted := "", strings.HasPrefix(l.rest, `"`)
		if quoted {
			var ok bool
			if label, ok = l.quoted(); !ok {
				return false
			}
		} else if label = l.name(false); label == "" {
			return false
		}
		l.space()
		if l.take('=') {
			l.space()
			value, ok := l.quoted()
			if !ok || label == "" || label == "__name__" {
				return false
			}
			l.labels = append(l.labels, Label{label, value})
		} else if quoted && *name == "" && label != "" {
			*name = label
		} else {
			return false
		}
		l.space()
		l.take(',') // Prometheus wants none
	}
}

// value reads the value and what may follow it: a time, and an exemplar.
func (l *lexer) value(into *float64) bool {
	text, _, _ := strings.Cut(l.rest, " # ")
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 {
		return false
	}
	var ok bool
	if *into, ok = number(words[0]); !ok {
		return false
	}
	if len(words) == 2 {
		_, ok = number(words[1])
	}
	return ok
}

// number takes what Prometheus does: neither 0x1p-2 nor 1_000.
func number(text string) (float64, bool) {
	if strings.ContainsAny(text, "pPxX_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

func (l *lexer) space() { l.rest = strings.TrimLeft(l.rest, " \t") }

func (l *lexer) take(c byte) bool {
	if l.rest == "" || l.rest[0] != c {
		return false
	}
	l.rest = l.rest[1:]
	return true
}

// name reads a metric's or a label's name, which has no colons.
func (l *lexer) name(colons bool) string {
	end := 0
	for end < len(l.rest) {
		c := l.rest[end]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || colons && c == ':' || end > 0 && c >= '0' && c <= '9') {
			break
		}
		end++
	}
	name := l.rest[:end]
	l.rest = l.rest[end:]
	return name
}

var unescape = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n")

// quoted reads a text in quotes. Of what is escaped only three are known, and \d stays as it is.
func (l *lexer) quoted() (string, bool) {
	if !l.take('"') {
		return "", false
	}
	escaped := false
	for end := 0; end < len(l.rest); end++ {
		switch l.rest[end] {
		case '\\':
			escaped = true
			end++
		case '"':
			text := l.rest[:end]
			l.rest = l.rest[end+1:]
			if escaped {
				text = unescape.Replace(text)
			}
			return text, utf8.ValidString(text)
		}
	}
	return "", false
}
