// Package rule makes metrics of what sources say.
package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/query"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// Set is all rules of a configuration.
type Set struct {
	Contract contract.Contract
	Metrics  spec.Metrics
	Sources  []spec.Source
	rules    map[string][]*Rule // by source
}

// Rule finds one thing in what a source says.
type Rule struct {
	Path string
	// Query is the path of a source of type json.
	Query *query.Query
	// Pair is the path of a source of type prometheus if it has two metrics.
	Pair *Pair
	// Name is the path of a source of type statsd.
	Name *Name

	identity  string // of a list's elements
	regex     *regexp.Regexp
	format    format   // of a log's lines that Query is for
	groups    []string // what the emissions ask for, each once
	positions []int    // of those groups in the regex
	values    []string // of those groups, for the match at hand
	headers   bool     // whether its source's messages have a header
	derived   []derivation
	emissions []*emission
}

// Groups are the names that the rule's emissions ask for. Values are given in this order.
func (r *Rule) Groups() []string { return r.groups }

// Compile makes a set of a spec, or says everything that is wrong with it.
func Compile(text []byte) (*Set, spec.Problems) {
	s, problems, readable := spec.Parse(text)
	if !readable {
		return nil, problems
	}
	c := contract.Of(s.Contract, &problems)
	set := &Set{Contract: c, Metrics: s.Metrics, Sources: s.Sources, rules: map[string][]*Rule{}}
	for i, declared := range s.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		if source := s.Source(declared.Source); source != nil {
			set.rules[source.Name] = append(set.rules[source.Name], compile(field, declared, *source, c, &problems))
		}
	}
	c.Check(s, &problems)
	return set, problems
}

func compile(field string, declared spec.Rule, source spec.Source, c contract.Contract, problems *spec.Problems) *Rule {
	r := &Rule{Path: declared.Path, identity: declared.Identity, headers: source.Type == "syslog"}
	var err error
	switch {
	case declared.Regex != "":
		if r.regex, err = regexp.Compile(declared.Regex); err != nil {
			problems.Add(field+".regex", "not a regular expression in RE2 syntax: %v", err)
		}
	case source.Type == "json", source.LineFormat() != "":
		r.format = formatOf(source)
		if r.Query, err = query.Compile(declared.Path); err != nil {
			problems.Add(field+".path", "not a JMESPath expression such as http.hits: %v", err)
		} else if declared.Identity != "" {
			if err := r.Query.Identify(declared.Identity); err != nil {
				problems.Add(field+".identity", "not a JMESPath expression such as id: %v", err)
			}
		}
	case source.Type == "prometheus":
		r.Pair = pairOf(declared.Path)
	case source.Type == "statsd":
		r.Name = newName(declared.Path)
	case source.Type == "proc":
		if !slices.Contains(ProcMetrics, declared.Path) {
			problems.Add(field+".path", "a source of type proc has no %s; it has %v", declared.Path, ProcMetrics)
		}
	}
	for i, g := range declared.Groups {
		r.derived = append(r.derived, r.compileDerivation(fmt.Sprintf("%s.groups[%d]", field, i), g, problems))
	}
	for path, e := range declared.Emissions(field) {
		r.emissions = append(r.emissions, r.compileEmission(path, e, source, c, problems))
	}
	r.values = make([]string, len(r.groups))
	if r.regex != nil {
		for _, name := range r.groups {
			r.positions = append(r.positions, r.regex.SubexpIndex(name))
		}
	}
	return r
}

func (r *Rule) compileEmission(field string, declared spec.Emission, source spec.Source, c contract.Contract, problems *spec.Problems) *emission {
	e := &emission{
		target: c.Target(declared.Metric), value: -1, scale: 1,
		cache: map[string]*series.Series{}, readings: map[readingKey]*reading{}, levels: map[*series.Series]*level{},
		bucketed: map[*series.Series]uint64{},
		owner:    &series.Owner{Page: !source.Events()}, how: series.Aggregation(declared.Aggregation), anyNumber: source.Type == "prometheus",
	}
	if declared.Scale != nil {
		e.scale = *declared.Scale
	}
	var err error
	if declared.When != "" {
		if e.when, err = compileCondition(declared.When, r.group); err != nil {
			problems.Add(field+".when", "%v", err)
		}
	}
	if declared.Value != "" {
		if e.value, err = r.group(declared.Value); err != nil {
			problems.Add(field+".value", "%v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(merged(declared.Labels, c.Labels))) {
		text, own := declared.Labels[name]
		if !own {
			// Not a template: the same for all metrics, whatever their groups.
			e.labels = append(e.labels, label{name, template{[]part{{c.Labels[name], -1}}}})
			continue
		}
		value, err := compileTemplate(text, r.group)
		if err != nil {
			problems.Add(field+".labels."+name, "%v", err)
		}
		e.labels = append(e.labels, label{name, value})
	}
	e.validate(field, r, source, problems)
	e.identify(source, r, declared, c)
	return e
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(b)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, a)
	return all
}

// validate says what a source of this type cannot give.
func (e *emission) validate(field string, r *Rule, source spec.Source, problems *spec.Problems) {
	if r.Pair != nil && !r.Pair.Rises() && e.target.Type != series.Gauge {
		problems.Add(field+".metric", "%s is a %s, which never falls; of %s only a gauge can be made", e.target.Name, e.target.Type, r.Path)
	}
	if e.scale < 0 && e.target.Type != series.Gauge {
		problems.Add(field+".scale", "must be above 0: %s is a %s, which never falls", e.target.Name, e.target.Type)
	}
	if e.target.Type != series.Histogram || e.target.Part != contract.Whole {
		return
	}
	name := e.target.Name
	switch {
	case source.Type == "json", source.Type == "proc":
		problems.Add(field+".metric", "%s is a histogram of single values, of which a source of type %s knows only totals; give %s_sum and %s_count instead", name, source.Type, name, name)
	case source.Lines() && e.value < 0:
		problems.Add(field+".value", "%s is a histogram: name the group that holds the value", name)
	}
}

// identify says which emission this is, so that after a change of the configuration it is known again.
func (e *emission) identify(source spec.Source, r *Rule, declared spec.Emission, c contract.Contract) {
	for _, polled := range []**spec.HTTP{&source.JSON, &source.Prometheus} {
		if *polled != nil {
			*polled = &spec.HTTP{URL: (*polled).URL, Body: (*polled).Body}
		}
	}
	if source.Proc != nil {
		source.Proc = &spec.Proc{Command: source.Proc.Command}
	}
	regex := ""
	if r.regex != nil {
		regex = r.regex.String()
	}
	var derived []spec.Group
	for _, d := range r.derived {
		derived = append(derived, d.declared)
	}
	text, err := json.Marshal([]any{source, r.Path, r.identity, regex, derived, declared, c.Labels})
	if err != nil {
		panic(err) // strings and finite numbers only: refused before otherwise
	}
	e.identity = string(text)
}

// group gives the index of a group among the values, and takes it up if it is new.
func (r *Rule) group(name string) (int, error) {
	if name == "" {
		return 0, errors.New("a group without a name; write ${group}")
	}
	for _, d := range slices.Backward(r.derived) {
		if d.name == name {
			return d.to, nil
		}
	}
	if r.regex != nil && r.regex.SubexpIndex(name) < 0 && !(r.headers && slices.Contains(HeaderGroups, name)) {
		return 0, fmt.Errorf("the regex has no group %q; it has %q", name, slices.DeleteFunc(r.regex.SubexpNames(), func(n string) bool { return n == "" }))
	}
	if i := slices.Index(r.groups, name); i >= 0 {
		return i, nil
	}
	r.groups = append(r.groups, name)
	return len(r.groups) - 1, nil
}

// complete gives the values of groups that a match itself doesn't have.
func (r *Rule) complete(values []string, header *Header) {
	if header != nil {
		for i, name := range r.groups {
			if at := slices.Index(HeaderGroups, name); at >= 0 && values[i] == "" {
				values[i] = header[at]
			}
		}
	}
	for _, d := range r.derived {
		values[d.to] = d.value(values[d.from])
	}
}
