package session

import (
	"syscall"
	"testing"
)

// The processor time that measuring a command costs.
func BenchmarkTiming(b *testing.B) {
	s := &Session{shared: &Shared{}}
	begun := processorTime(b)
	for b.Loop() {
		s.asked++
		s.beginTiming()
		s.endTiming(s.answers.Add(1))
	}
	b.ReportMetric(float64(processorTime(b)-begun)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
