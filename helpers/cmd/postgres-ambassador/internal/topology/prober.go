package topology

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/wire"
)

const (
	// checkTimeout bounds a check, with its login.
	checkTimeout = 2 * time.Second
	// maxAge is how long a connection is asked on: an address of a Service leads to another server only when it is
	// connected with anew.
	maxAge = 30 * time.Second

	applicationName = "postgres-ambassador"
	defaultDatabase = "postgres"
)

// The full question, and what every PostgreSQL can answer. A WAL file's name begins with the timeline.
// https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
const (
	fullQuestion = `SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()),
CASE WHEN pg_is_in_recovery() THEN '0' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END`
	plainQuestion = `SELECT pg_is_in_recovery(), '', '0'`
)

// prober asks one server again and again.
type prober struct {
	target  Target
	monitor *Monitor
	stop    context.CancelFunc

	conn     *pgconn.PgConn
	settings *Settings // those that conn was made with
	question string
	since    time.Time

	// Guarded by the monitor's mutex.
	failures int
	found    bool // it has answered since it last counted as failed
	finding  Finding
	problem  string
}

func (p *prober) run(ctx context.Context) {
	defer p.close()
	for {
		settings := p.monitor.settings.Load()
		finding, err := p.check(ctx, settings)
		if ctx.Err() != nil {
			return
		}
		if p.monitor.tell(p, settings, finding, err) {
			// Its role is another one. At a Service's address there may be another server by now.
			p.close()
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settings.Interval):
		}
	}
}

func (p *prober) check(ctx context.Context, settings *Settings) (Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if p.settings != settings || time.Since(p.since) > maxAge {
		p.close()
	}
	if p.conn == nil {
		if err := p.login(ctx, settings); err != nil {
			return Finding{}, err
		}
	}
	finding, err := p.ask(ctx)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && p.question == fullQuestion && !p.conn.IsClosed() {
		// Some services of clouds keep such functions to themselves.
		p.question = plainQuestion
		finding, err = p.ask(ctx)
	}
	if err != nil {
		p.close()
	}
	return finding, inItsWords(err)
}

func (p *prober) close() {
	if p.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.conn.Close(ctx)
	p.conn = nil
}

// login makes a connection as the relays make theirs, so that what fails there fails here.
func (p *prober) login(ctx context.Context, settings *Settings) error {
	conn, err := wire.Dial(ctx, p.target.Address.String(), settings.tlsFor(p.target))
	if err != nil {
		return inItsWords(err)
	}
	config, err := pgconn.ParseConfig("sslmode=disable")
	if err != nil {
		return err
	}
	config.Host, config.Port = p.target.Address.Addr().String(), p.target.Address.Port()
	config.User, config.Password, config.Database = settings.User, settings.Password, settings.Database
	if config.Database == "" {
		config.Database = defaultDatabase
	}
	config.RuntimeParams = map[string]string{"application_name": applicationName}
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	p.conn, err = pgconn.ConnectConfig(ctx, config)
	if err != nil {
		conn.Close()
		p.conn = nil
		return inItsWords(err)
	}
	p.settings, p.since, p.question = settings, time.Now(), fullQuestion
	return nil
}

func (p *prober) ask(ctx context.Context) (Finding, error) {
	results, err := p.conn.Exec(ctx, p.question).ReadAll()
	if err != nil {
		return Finding{}, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 3 {
		return Finding{}, errors.New("it does not answer as PostgreSQL does")
	}
	row := results[0].Rows[0]
	timeline, err := strconv.ParseUint(string(row[2]), 16, 32)
	if err != nil {
		return Finding{}, fmt.Errorf("its timeline: %w", err)
	}
	finding := Finding{Role: Primary, System: string(row[1]), Timeline: uint32(timeline)}
	if string(row[0]) == "t" {
		finding.Role = Replica
	}
	return finding, nil
}

// inItsWords returns what the server said, or what keeps it from saying anything.
func inItsWords(err error) error {
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return errors.New(refused.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", checkTimeout)
	}
	return err
}
