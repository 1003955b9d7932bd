// Package statsd reads StatsD's line protocol. It is the project's own beside statsd_exporter's pkg/line, because that
// makes as many events of a timer as its sampling rate says, so that one packet with @1e-9 takes all memory.
package statsd

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

// minRate is the smallest sampling rate that is believed.
const minRate = 1e-6

// Sample is one value of a line.
type Sample struct {
	name  string
	tags  string // name:value,… or, in InfluxDB's and Librato's manner, name=value,…
	equal byte   // what stands between a tag's name and its value
	value string
	count float64 // how many such values it stands for
}

// Name is the metric's name.
func (s *Sample) Name() string { return s.name }

// Group is a tag, or value as it was sent, or count, the number of values that a sampled one stands for, or, as 1, 2
// and so on, what the path's * stand for.
func (s *Sample) Group(of *rule.Name, group string) string {
	switch group {
	case "value":
		return s.value
	case "count":
		return strconv.FormatFloat(s.count, 'f', -1, 64)
	}
	if nth, err := strconv.Atoi(group); err == nil {
		return of.Capture(s.name, nth)
	}
	for tags := s.tags; tags != ""; {
		var tag string
		tag, tags, _ = strings.Cut(tags, ",")
		tag = strings.TrimPrefix(tag, "#") // of Datadog's client for PHP
		if len(tag) > len(group) && tag[len(group)] == s.equal && tag[:len(group)] == group {
			return tag[len(group)+1:]
		}
	}
	return ""
}

// Parse calls a function for each value of a line, such as api.requests:1|c|@0.1|#code:200, and tells whether all of it
// was understood. Several metrics of one name may be in it, api.requests:1|c:5|ms, where it has no tags behind.
func (s *Sample) Parse(line string, each func(*Sample, rule.Event)) bool {
	name, rest, found := strings.Cut(line, ":")
	if !found || !utf8.ValidString(line) || !s.named(name) {
		return false
	}
	tagged := strings.Contains(rest, "|#")
	if tagged && s.tags != "" {
		return false // in two manners
	}
	understood := true
	for rest != "" {
		one := rest
		if rest = ""; !tagged {
			one, rest = cutMetric(one)
		}
		understood = s.metric(one, each) && understood
	}
	return understood
}

// cutMetric cuts off the first of several metrics. The next begins with its value, and its type follows.
func cutMetric(text string) (first, rest string) {
	at := max(strings.IndexByte(text, '|'), 0)
	for ; at < len(text); at++ {
		next := strings.IndexByte(text[at:], ':')
		if next < 0 {
			break
		}
		at += next
		value, _, typed := strings.Cut(text[at+1:], "|")
		if _, err := strconv.ParseFloat(value, 64); typed && err == nil {
			return text[:at], text[at+1:]
		}
	}
	return text, ""
}

// metric takes what stands behind the name: 1:2|ms|@0.1.
func (s *Sample) metric(text string, each func(*Sample, rule.Event)) bool {
	values, rest, typed := strings.Cut(text, "|")
	kind, rest, more := strings.Cut(rest, "|")
	if !typed {
		return false
	}
	rate := 1.0
	for more {
		var section string
		section, rest, more = strings.Cut(rest, "|")
		switch {
		case strings.HasPrefix(section, "@"):
			var err error
			if rate, err = strconv.ParseFloat(section[1:], 64); err != nil || !(rate >= minRate && rate <= 1) {
				return false
			}
		case strings.HasPrefix(section, "#"):
			s.tags, s.equal = section[1:], ':'
		case strings.HasPrefix(section, "T"), len(section) > 2 && slices.Contains(unused, section[:2]), strings.HasPrefix(section, "card:"):
		default:
			return false
		}
	}
	s.count = 1 / rate
	understood := true
	for more := true; more; {
		s.value, values, more = strings.Cut(values, ":")
		ev, known := s.event(kind)
		if known {
			each(s, ev)
		}
		understood = understood && known
	}
	return understood
}

// unused sections are DogStatsD's container and what it has on that from outside.
var unused = []string{"c:", "e:"}

// named takes the name and the tags that are in it: a,tag=value or a#tag=value or, in SignalFx's manner, a[tag=value]b.
func (s *Sample) named(text string) bool {
	s.name, s.tags, s.equal = text, "", '='
	if !strings.ContainsAny(text, "[],#") {
		return text != ""
	}
	open, end := strings.IndexByte(text, '['), strings.IndexByte(text, ']')
	switch {
	case open >= 0 && end > open:
		s.name, s.tags = text[:open]+text[end+1:], text[open+1:end]
	case open >= 0 || end >= 0: // a name, however odd
	default:
		if at := strings.IndexAny(text, ",#"); at >= 0 {
			s.name, s.tags = text[:at], text[at+1:]
		}
	}
	return s.name != ""
}

func (s *Sample) event(kind string) (rule.Event, bool) {
	v, err := strconv.ParseFloat(s.value, 64)
	if err != nil {
		return rule.Event{}, false
	}
	switch kind {
	case "c":
		return rule.Event{Kind: rule.Count, Value: v * s.count}, true
	case "g":
		if s.value[0] == '+' || s.value[0] == '-' {
			return rule.Event{Kind: rule.Count, Value: v}, true
		}
		return rule.Event{Kind: rule.Level, Value: v}, true
	case "ms":
		return rule.Event{Kind: rule.Single, Value: v / 1000, Weight: s.count}, true
	case "h", "d":
		return rule.Event{Kind: rule.Single, Value: v, Weight: s.count}, true
	}
	return rule.Event{}, false
}
