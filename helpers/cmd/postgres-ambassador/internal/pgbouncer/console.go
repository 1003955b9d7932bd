package pgbouncer

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// consoleTime is the most that the console may take to answer.
const consoleTime = 5 * time.Second

// Console is the name of the console's database, and of its user.
const Console = "pgbouncer"

// row is one of an answer, by its columns' names.
type row map[string]string

func (r row) number(column string) float64 {
	n, _ := strconv.ParseFloat(r[column], 64)
	return n
}

// Pool is what there is for one database.
type Pool struct {
	Database                                   string
	ActiveClients, WaitingClients              float64
	ActiveServers, IdleServers                 float64
	LongestWait                                float64 // seconds
	Transactions, Queries, WaitTime, QueryTime float64 // totals, of seconds where it is a time
	Received, Sent                             float64 // bytes
}

// Pools returns those that there are.
func (p *Process) Pools(ctx context.Context) ([]Pool, error) {
	pools, err := p.rows(ctx, "SHOW POOLS")
	if err != nil {
		return nil, err
	}
	totals, err := p.rows(ctx, "SHOW STATS")
	if err != nil {
		return nil, err
	}
	of := map[string]row{}
	for _, total := range totals {
		of[total["database"]] = total
	}
	const micro = 1e-6
	var found []Pool
	for _, r := range pools {
		name := r["database"]
		if r["user"] == Console {
			continue // the console, and who takes its name
		}
		t := of[name]
		found = append(found, Pool{
			Database: name, ActiveClients: r.number("cl_active"), WaitingClients: r.number("cl_waiting"),
			ActiveServers: r.number("sv_active"), IdleServers: r.number("sv_idle") + r.number("sv_used"),
			LongestWait:  r.number("maxwait") + micro*r.number("maxwait_us"),
			Transactions: t.number("total_xact_count"), Queries: t.number("total_query_count"),
			WaitTime: micro * t.number("total_wait_time"), QueryTime: micro * t.number("total_query_time"),
			Received: t.number("total_received"), Sent: t.number("total_sent"),
		})
	}
	return found, nil
}

// Reconnect has each connection to a server closed when its client is done with it.
func (p *Process) Reconnect(ctx context.Context) error { return p.execute(ctx, "RECONNECT") }

func (p *Process) execute(ctx context.Context, command string) error {
	_, err := p.rows(ctx, command)
	return err
}

// rows returns the answer to a command.
func (p *Process) rows(ctx context.Context, command string) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, consoleTime)
	defer cancel()
	config, err := pgconn.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = p.directory, uint16(p.port)
	config.User, config.Database, config.RuntimeParams = Console, Console, nil
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, command).ReadAll()
	if err != nil {
		return nil, err
	}
	var found []row
	for _, result := range results {
		for _, values := range result.Rows {
			one := row{}
			for i, field := range result.FieldDescriptions {
				one[field.Name] = string(values[i])
			}
			found = append(found, one)
		}
	}
	return found, nil
}
