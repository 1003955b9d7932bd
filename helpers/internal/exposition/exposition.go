// Package exposition writes metrics in Prometheus' text format, and has the histogram that all ambassadors share.
//
// It is written by hand: prometheus/client_golang would add a third to a program for a dozen families that need none of
// what it does. https://prometheus.io/docs/instrumenting/exposition_formats/
package exposition

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Family is a metric as Prometheus knows it, of a program whose state is S. Its type is gauge, counter, histogram or summary.
type Family[S any] struct {
	Name, Type, Help string
	Add              func(o *Output, state S)
}

// New makes a family.
func New[S any](name, kind, help string, add func(o *Output, state S)) Family[S] {
	return Family[S]{Name: name, Type: kind, Help: help, Add: add}
}

// Text returns the families' samples.
func Text[S any](families []Family[S], state S) []byte {
	var o Output
	for _, f := range families {
		fmt.Fprintf(&o.text, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Type)
		o.family = f.Name
		f.Add(&o, state)
	}
	return o.text.Bytes()
}

// Output takes the samples of a family.
type Output struct {
	text   bytes.Buffer
	family string
}

// Value adds a sample; labels are names and values in turn.
func (o *Output) Value(value float64, labels ...string) { o.sample("", value, labels) }

// Flag adds 1 for yes and 0 for no.
func (o *Output) Flag(yes bool, labels ...string) {
	value := 0.0
	if yes {
		value = 1
	}
	o.Value(value, labels...)
}

// Summary adds a sum of seconds and the number of what took them.
func (o *Output) Summary(seconds, count float64, labels ...string) {
	o.sample("_sum", seconds, labels)
	o.sample("_count", count, labels)
}

// Histogram adds one with all its buckets.
func (o *Output) Histogram(h *Histogram, labels ...string) {
	var count int64
	for i := range h.buckets {
		count += h.buckets[i].Load()
		bound := "+Inf"
		if i < len(Bounds) {
			bound = number(Bounds[i].Seconds())
		}
		o.sample("_bucket", float64(count), append(slices.Clip(labels), "le", bound))
	}
	o.Summary(time.Duration(h.sum.Load()).Seconds(), float64(count), labels...)
}

func (o *Output) sample(suffix string, value float64, labels []string) {
	o.text.WriteString(o.family + suffix)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(&o.text, "%c%s=%q", "{,"[min(i, 1)], labels[i], labels[i+1])
	}
	if len(labels) > 0 {
		o.text.WriteByte('}')
	}
	fmt.Fprintf(&o.text, " %s\n", number(value))
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }
