package rule

import (
	"regexp"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// derivation makes a group of another one.
type derivation struct {
	declared spec.Group
	name     string
	from, to int // among the rule's groups
	regex    *regexp.Regexp
}

// compileDerivation takes the group up. What is derived before it may be derived from, too; under the name of a group that
// the source has it takes the place of that.
func (r *Rule) compileDerivation(field string, declared spec.Group, problems *spec.Problems) derivation {
	d := derivation{declared: declared, name: declared.Name}
	var err error
	if d.from, err = r.group(declared.From); err != nil {
		problems.Add(field+".from", "%v", err)
	}
	if declared.Regex != "" {
		if _, err = regexp.Compile(declared.Regex); err != nil {
			problems.Add(field+".regex", "not a regular expression in RE2 syntax: %v", err)
		} else {
			// Of the whole text, as in Prometheus's relabelling.
			d.regex = regexp.MustCompile("^(?s:" + declared.Regex + ")$")
		}
	}
	d.to = len(r.groups)
	r.groups = append(r.groups, declared.Name)
	return d
}

func (d *derivation) value(from string) string {
	if d.regex == nil {
		if value, known := d.declared.Map[from]; known {
			return value
		}
		return d.declared.Default
	}
	found := d.regex.FindStringSubmatchIndex(from)
	if found == nil {
		return d.declared.Default
	}
	return string(d.regex.ExpandString(nil, d.declared.Replacement, from, found))
}
