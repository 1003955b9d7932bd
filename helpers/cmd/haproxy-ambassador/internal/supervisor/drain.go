package supervisor

import (
	"context"
	"maps"
	"time"
)

const (
	// drainTime is the most that connections get to end by themselves, of the 30 s that Kubernetes gives by default.
	drainTime = 20 * time.Second
	// quietTime is for how long a connection carries nothing when nobody uses it.
	quietTime = 3 * time.Second
	// quietPeriod is the time between two looks at the connections.
	quietPeriod = 250 * time.Millisecond
	// stopTime is how long requests that came last get, when nothing more is taken.
	stopTime = time.Second
)

// drain ends HAProxy. With its Pod, it is after the application, and nothing is left. Alone, for a new image, the kubelet
// starts the next one only when this one has ended: so it takes connections for as long as others are in use, since nobody
// does in its place, and does not wait for those that a pool keeps open.
func (s *Supervisor) drain() error {
	if !s.proxy.Running() {
		return nil
	}
	s.log.Info("draining")
	s.awaitQuiet()
	if err := s.proxy.Stop(); err != nil {
		return err
	}
	select {
	case <-s.proxy.Done:
		return nil
	case <-time.After(stopTime):
	}
	s.log.Info("closing the connections that are left")
	if err := s.proxy.Kill(); err != nil {
		return err
	}
	<-s.proxy.Done
	return nil
}

// awaitQuiet returns when no connection is in use, or drainTime is over.
func (s *Supervisor) awaitQuiet() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	ticks := time.NewTicker(quietPeriod)
	defer ticks.Stop()
	var before map[string]string
	since := time.Now()
	for {
		carried, atWork, err := s.proxy.Sessions(ctx)
		if err != nil || atWork+len(carried) == 0 {
			return
		}
		if atWork > 0 || !maps.Equal(carried, before) {
			since = time.Now()
		}
		before = carried
		if time.Since(since) >= quietTime {
			return
		}
		select {
		case <-ticks.C:
		case <-s.proxy.Done:
			return
		case <-ctx.Done():
			return
		}
	}
}
