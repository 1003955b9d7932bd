package rule

import (
	"errors"
	"strings"
	"unicode/utf8"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// maxLabelBytes is where a label's value is cut off, as long as the API lets one be that is written by hand.
const maxLabelBytes = 256

// template is a label's value: text with ${group} in it.
type template struct {
	parts []part
}

// part is text, or the value of a group if that is not below 0.
type part struct {
	text  string
	group int
}

func compileTemplate(text string, index func(group string) (int, error)) (template, error) {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		if before != "" {
			t.parts = append(t.parts, part{before, -1})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return t, errors.New("${ without }; write ${group}")
		}
		i, err := index(name)
		if err != nil {
			return t, err
		}
		t.parts = append(t.parts, part{"", i})
		text = after
	}
	return t, nil
}

// render gives the value, mended and cut where it cannot be a label's.
func (t template) render(groups []string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.group < 0 {
			b.WriteString(p.text)
			continue
		}
		// No more of a value than can be kept, however long it is.
		b.WriteString(cut(groups[p.group]))
	}
	return cut(strings.ToValidUTF8(b.String(), "\uFFFD"))
}

// cut shortens text without cutting a character in two.
func cut(text string) string {
	if len(text) <= maxLabelBytes {
		return text
	}
	end := maxLabelBytes
	for end > maxLabelBytes-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// constant is the value if it is the same whatever the groups are.
func (t template) constant() bool {
	for _, p := range t.parts {
		if p.group >= 0 {
			return false
		}
	}
	return true
}

// label is a label to put on a metric.
type label struct {
	name  string
	value template
}

// couldMake tells whether labels may come of these templates.
func couldMake(templates []label, labels []series.Label) bool {
	i := 0
	for _, l := range templates {
		present := i < len(labels) && labels[i].Name == l.name
		switch {
		case l.value.constant() && l.value.render(nil) == "":
			continue
		case l.value.constant() && !(present && labels[i].Value == l.value.render(nil)):
			return false
		}
		if present {
			i++
		}
	}
	return i == len(labels)
}
