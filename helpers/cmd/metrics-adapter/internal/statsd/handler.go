package statsd

import (
	"bufio"
	"errors"
	"strings"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/receiver"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

// handler hands the samples of lines to a feed.
type handler struct {
	feed   *rule.Feed
	each   func(*Sample, rule.Event)
	sample Sample
}

// NewHandler returns a handler of packets and connections for a feed.
func NewHandler(feed *rule.Feed) receiver.Handler {
	return &handler{feed: feed, each: func(sample *Sample, ev rule.Event) { feed.Sample(sample, ev) }}
}

func (h *handler) Read(from *bufio.Reader) error {
	line, err := receiver.Next(from, "\n")
	if errors.Is(err, receiver.ErrLong) {
		h.feed.Unmatched()
		return err
	}
	h.Packet(line)
	return err
}

func (h *handler) Packet(text string) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line != "" && !h.sample.Parse(line, h.each) {
			h.feed.Unmatched()
		}
	}
}
