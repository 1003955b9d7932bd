package session

import (
	"sync/atomic"
	"time"
)

// timing measures how long one command of a client takes at a time: from when it was taken in to when its reply is there.
// Of commands that come at once it is the last one, so that a pipeline costs little; a lone client's are all measured.
type timing struct {
	last  Class        // of the last command that a server was asked
	until atomic.Int64 // the number of the reply that is awaited; 0: none
	class Class
	begun time.Duration // since epoch
}

// begin begins with the last command of a batch that is about to be sent, unless another one is under way, or some may be
// answered late on purpose.
func (s *Session) beginTiming() {
	t := &s.timing
	if t.until.Load() != 0 || s.asked == s.answers.Load() || s.writesAnswered.Load() < s.blocking {
		return
	}
	t.class, t.begun = t.last, time.Since(epoch)
	t.until.Store(s.asked)
}

// endTiming is told how many replies the client has got.
func (s *Session) endTiming(answers int64) {
	t := &s.timing
	if until := t.until.Load(); until != 0 && answers >= until {
		s.shared.Metrics.Durations[t.class].Observe(time.Since(epoch) - t.begun)
		t.until.Store(0)
	}
}
