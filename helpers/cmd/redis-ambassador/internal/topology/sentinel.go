package topology

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// appointment is a Sentinel's word on the servers. Sentinels number their decisions: of two that disagree, the one
// with the higher epoch knows the later failover.
// (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#configuration-epochs)
type appointment struct {
	epoch   int64
	primary string
	servers []string // the primary included
	// unanimous: every Sentinel has answered, and none knows a newer one. So even an epoch below a former one is to be
	// believed: these are new Sentinels.
	unanimous bool
}

// askSentinels follows the Sentinels' decisions until ctx ends.
func (m *Monitor) askSentinels(ctx context.Context, s Settings) {
	silent := false
	for ctx.Err() == nil {
		newest, err := newestAppointment(ctx, s)
		if err == nil {
			m.appointed(ctx, newest)
		} else if !silent {
			m.log.Warn("no Sentinel answers", "error", err)
		}
		silent = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(s.Interval):
		}
	}
}

func (m *Monitor) appointed(ctx context.Context, a appointment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return // other settings hold by now
	}
	if a.epoch < m.epoch && !a.unanimous {
		return // those that know the newer decision are silent now
	}
	m.appoint, m.epoch = a.primary, a.epoch
	m.keep(a.servers)
	m.judge()
}

// newestAppointment asks all Sentinels at once; the answer with the highest epoch counts.
func newestAppointment(ctx context.Context, s Settings) (appointment, error) {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		newest appointment
		errs   []error
	)
	for _, addr := range s.Endpoints {
		group.Go(func() {
			a, err := ask(ctx, s, addr)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", addr, err))
			} else if newest.primary == "" || a.epoch > newest.epoch {
				newest = a
			}
		})
	}
	group.Wait()
	if newest.primary == "" {
		return newest, errors.Join(errs...)
	}
	newest.unanimous = len(errs) == 0
	return newest, nil
}

func ask(ctx context.Context, s Settings, addr string) (appointment, error) {
	c, err := s.SentinelAccess.client(ctx, addr)
	if err != nil {
		return appointment{}, err
	}
	defer c.conn.Close()
	// The Sentinel that leads a failover keeps the old primary in MASTER, with the new epoch, until the other replicas
	// follow the new one. Only GET-MASTER-ADDR-BY-NAME gives the new one from its promotion on. It is asked after MASTER: an
	// old epoch with the new address is outdone by other Sentinels, the reverse would bring the old primary back.
	replies, err := c.ask(checkTimeout, []string{"SENTINEL", "MASTER", s.SentinelMaster},
		[]string{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.SentinelMaster}, []string{"SENTINEL", "REPLICAS", s.SentinelMaster})
	if err != nil {
		return appointment{}, err
	}
	known, err := array(replies[0])
	if err != nil {
		return appointment{}, err
	}
	named, err := array(replies[1])
	if err != nil || len(named) != 2 {
		return appointment{}, errors.Join(err, fmt.Errorf("it has no address of %s", s.SentinelMaster))
	}
	var a appointment
	facts := pairs(known)
	a.epoch, _ = strconv.ParseInt(facts["config-epoch"], 10, 64)
	a.primary = addressOf(named[0], named[1])
	a.servers = []string{a.primary, net.JoinHostPort(facts["ip"], facts["port"])}
	replicas, _ := replies[2].([]resp.Value)
	for _, replica := range replicas {
		list, _ := replica.([]resp.Value)
		facts := pairs(list)
		if !strings.Contains(facts["flags"], "s_down") { // one that is down for long may be a server that was removed
			a.servers = append(a.servers, net.JoinHostPort(facts["ip"], facts["port"]))
		}
	}
	return a, nil
}

func addressOf(host, port resp.Value) string {
	h, _ := host.(string)
	p, _ := port.(string)
	return net.JoinHostPort(h, p)
}

// pairs makes a map of a list of names and values.
func pairs(list []resp.Value) map[string]string {
	facts := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		facts[name], _ = list[i+1].(string)
	}
	return facts
}
