package topology

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/routing"
)

// Server is one Redis.
type Server struct {
	Addr string
	stop context.CancelFunc
	due  chan struct{}
	life atomic.Uint64
	turn atomic.Uint64
	// heard counts what has come from it.
	heard    atomic.Uint64
	at       atomic.Pointer[netip.AddrPort] // where it is watched
	moved    atomic.Bool                    // its name leads elsewhere now
	caughtUp atomic.Int64

	// Guarded by the monitor's lock.
	asked   bool // it has been checked, with or without success
	seen    observation
	refusal string // why it can't be watched, in its words
	lag     time.Duration
	silent  bool // it has owed answers for too long

	mu          sync.Mutex
	connections map[Connection]bool // whether it is used as the primary
}

// Connection is a session's connection to a server.
type Connection interface {
	// Close ends it, and what waits for it.
	Close()
	// Owes tells whether something waits for an answer.
	Owes() bool
	// Leave ends it if what waits for it can be asked of another server.
	Leave()
}

func newServer(addr string, stop context.CancelFunc) *Server {
	return &Server{Addr: addr, stop: stop, due: make(chan struct{}, 1), connections: map[Connection]bool{}}
}

// Check makes the monitor check the server now: something has happened.
func (s *Server) Check() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}

// Life is another number after the server may have restarted, or another one may have taken its address.
func (s *Server) Life() uint64 { return s.life.Load() }

// Turn is another number after the server has turned into a replica: what connects with its address anew may find another
// one there, as behind a Service that follows the primary.
func (s *Server) Turn() uint64 { return s.turn.Load() }

// Connected registers a connection, until Disconnected. asPrimary tells what it is used as.
func (s *Server) Connected(c Connection, asPrimary bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections[c] = asPrimary
}

// Disconnected forgets a connection.
func (s *Server) Disconnected(c Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c)
}

// Connections counts the connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.connections)
}

// CloseConnections ends all connections.
func (s *Server) CloseConnections() { s.closeConnections(true) }

// ClosePrimaryConnections ends those that use it as the primary.
func (s *Server) ClosePrimaryConnections() { s.closeConnections(false) }

func (s *Server) closeConnections(all bool) {
	closeAll(s.list(all))
}

func (s *Server) list(all bool) (connections []Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, asPrimary := range s.connections {
		if all || asPrimary {
			connections = append(connections, c)
		}
	}
	return connections
}

func closeAll(connections []Connection) {
	for _, c := range connections {
		c.Close()
	}
}

// checkApart is the time between the beginnings of two checks at least.
const checkApart = 10 * time.Millisecond

// checkTimeout bounds one check.
const checkTimeout = time.Second

// watch checks a server again and again.
func (m *Monitor) watch(ctx context.Context, server *Server) {
	w := watcher{monitor: m, server: server}
	defer w.close()
	go server.followName(ctx)
	for failures := 0; ctx.Err() == nil; {
		if server.moved.Swap(false) {
			w.close()
		}
		settings, fresh, begun := m.current(), w.client == nil, time.Now()
		o, err := w.check(ctx, settings)
		switch {
		case err == nil:
			failures = 0
			if turned := m.saw(server, o); turned || o.role == Replica && m.Snapshot().Primary == nil {
				w.close() // the address may lead to another server by now
				if turned {
					continue
				}
			}
		case busy(err):
			failures = 0
		case refusal(err) != "":
			m.refused(server, refusal(err))
			if failures++; failures == settings.Threshold {
				m.forget(server)
			}
		case !fresh && !errors.Is(err, os.ErrDeadlineExceeded):
			continue // the connection broke; what a new one meets tells more
		default:
			m.unanswered(server)
			if failures++; failures == settings.Threshold || failures < settings.Threshold && refused(err) {
				failures = max(failures, settings.Threshold)
				m.gone(server, err)
			}
		}
		select {
		case <-ctx.Done():
		case <-server.due:
			time.Sleep(time.Until(begun.Add(checkApart))) // however often it is asked for
		case <-time.After(settings.Interval):
		}
	}
}

// refused tells whether nobody listens: then its connections are gone as well.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func (m *Monitor) current() Settings {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settings
}

// saw notes what a server says. It tells whether it was the primary until now, and is a replica.
func (m *Monitor) saw(server *Server, o observation) (turned bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	server.Heard()
	server.silent = false
	before := server.seen
	o.wasReplica = o.role == Primary && (before.wasReplica || before.role == Replica)
	o.passed = o.role == Primary && before.passed
	if turned = server == m.snapshot.Load().Primary && o.role == Replica; turned {
		server.turned()
	}
	if server.seen.role != o.role || server.seen.serves != o.serves {
		m.log.Info("a server's role", "server", server.Addr, "role", o.role, "serves", o.serves)
	}
	server.seen, server.asked, server.refusal = o, true, ""
	m.judge()
	return turned
}

// turned leaves the connections that use the server as the primary, once what is under way has been answered.
func (s *Server) turned() { s.leave(s.list(false)) }

// leave leaves connections; the next ones are made anew.
func (s *Server) leave(connections []Connection) {
	s.turn.Add(1)
	s.life.Add(1)
	time.AfterFunc(retireAfter, func() { closeAll(connections) })
}

// refused notes that a server answers, and doesn't let itself be watched.
func (m *Monitor) refused(server *Server, words string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if server.refusal != words {
		m.log.Warn("a server doesn't let itself be watched", "server", server.Addr, "error", words)
	}
	server.refusal, server.asked = words, true
	m.judge()
}

// forget forgets what was seen of a server, all but what tells which one is the primary.
func (m *Monitor) forget(server *Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	server.forget()
	m.judge()
}

func (s *Server) forget() {
	s.seen = observation{wasReplica: s.seen.wasReplica || s.seen.role == Replica, passed: s.seen.passed}
}

// unanswered notes that a server was checked in vain.
func (m *Monitor) unanswered(server *Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !server.asked {
		server.asked = true
		m.judge()
	}
}

func (m *Monitor) gone(server *Server, err error) {
	m.mu.Lock()
	if server.seen.role != "" {
		m.log.Warn("a server is given up", "server", server.Addr, "error", err)
	} else {
		m.log.Warn("a server can't be asked", "server", server.Addr, "error", err)
	}
	server.forget()
	m.judge()
	m.mu.Unlock()
	server.CloseConnections()
}

// watcher holds the connection over which a server is watched.
type watcher struct {
	monitor *Monitor
	server  *Server
	client  *client
	access  Access
	who     identity
	asked   time.Time // when its commands were asked for
}

func (w *watcher) close() {
	if w.client != nil {
		w.client.conn.Close()
		w.client = nil
	}
}

func (w *watcher) check(ctx context.Context, s Settings) (observation, error) {
	access := s.Access
	if s.MonitorPassword != "" {
		access.Username, access.Password = s.MonitorUser, s.MonitorPassword
	}
	if w.client != nil && w.access != access {
		w.close() // so that new credentials are tried before sessions need them
	}
	if w.client == nil {
		c, err := access.client(ctx, w.server.Addr)
		if err != nil {
			return observation{}, err
		}
		who, err := c.identify()
		if err != nil {
			c.conn.Close()
			return observation{}, err
		}
		another := w.who.run == "" || w.who.run != who.run
		if another {
			w.server.life.Add(1) // before anybody is told that it is there
		}
		w.server.reached(c.conn, another)
		w.client, w.access, w.asked, w.who = c, access, time.Time{}, who
	}
	o, err := w.client.observe(checkTimeout, w.monitor.otherwise(w.server))
	if err != nil {
		if _, isReply := err.(resp.Error); !isReply {
			w.close()
		}
		return o, err
	}
	o.run, o.started = w.who.run, w.who.started
	return o, w.learnCommands(o)
}

// commandsEvery is the time between two questions for the commands: a module may have brought new ones.
const commandsEvery = 10 * time.Minute

// learnCommands asks the primary for its commands, or, while none has been asked, any server.
func (w *watcher) learnCommands(o observation) error {
	if w.monitor.Commands() != nil && !o.isPrimary() || time.Since(w.asked) < commandsEvery || !o.serves {
		return nil
	}
	replies, err := w.client.ask(checkTimeout, []string{"COMMAND"})
	if err != nil {
		w.close()
		return err
	}
	w.asked = time.Now()
	if refused, is := replies[0].(resp.Error); is && denied(refused) {
		w.monitor.log.Warn("a server doesn't tell its commands: all go to the primary, and none are shared; grant +command (ACL SETUSER)",
			"server", w.server.Addr, "error", refused)
		return nil
	}
	table, err := routing.NewTable(replies[0])
	if err != nil {
		return err
	}
	w.monitor.commands.Store(table)
	debug.FreeOSMemory() // the reply was larger than all that is needed from here on
	return nil
}

// State is the knowledge of a server.
type State struct {
	Addr        string
	Role        Role
	Fit         bool // it is the primary, or a replica that may answer reads
	Lag         time.Duration
	Connections int
}

// States are those of all servers, in order of their addresses.
func (m *Monitor) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	snapshot := m.snapshot.Load()
	var states []State
	for _, server := range m.servers {
		s := State{Addr: server.Addr, Role: cmp.Or(server.seen.role, Unknown), Lag: server.lag, Connections: server.Connections()}
		s.Fit = server == snapshot.Primary
		for _, replica := range snapshot.Replicas {
			s.Fit = s.Fit || server == replica
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b State) int { return strings.Compare(a.Addr, b.Addr) })
	return states
}
