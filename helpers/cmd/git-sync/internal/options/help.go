package options

import (
	_ "embed"
	"fmt"
	"strings"

	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
)

//go:embed help.txt
var manual string

// helpWidth is where the lines of the help end.
const helpWidth = 110

// Help returns the manual.
func Help() string {
	return strings.NewReplacer("{{flags}}\n", flagsHelp(), "{{metrics}}\n", metricsHelp()).Replace(manual)
}

func flagsHelp() string {
	var b strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&b, "  --%s", s.name)
		if s.operand != "" {
			fmt.Fprintf(&b, " %s", s.operand)
		}
		if s.operand != "" && s.fallback != "" {
			fmt.Fprintf(&b, "  (default %s)", s.fallback)
		}
		fmt.Fprintf(&b, "  [%s]\n", s.variable())
		wrap(&b, "      ", s.help)
	}
	return b.String()
}

func metricsHelp() string {
	var b strings.Builder
	for _, f := range status.Families {
		fmt.Fprintf(&b, "             %s (%s)\n", f.Name, f.Type)
		wrap(&b, "                 ", f.Help)
	}
	return b.String()
}

func wrap(b *strings.Builder, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > helpWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
