package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"

	"podpatterns.dev/redis-ambassador/internal/session"
	"podpatterns.dev/redis-ambassador/internal/topology"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx := context.Background()
	m := topology.New(ctx, topology.Settings{Endpoints: os.Args[2:], Interval: 500 * time.Millisecond, Threshold: 3}, log)
	sh := &session.Shared{Name: "cache", Monitor: m}
	rp := session.ReadPolicy(os.Getenv("RP"))
	if rp == "" {
		rp = session.PreferReplica
	}
	sh.Policy.Store(&session.Policy{Read: rp})
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	if os.Getenv("PPROF") != "" {
		go http.ListenAndServe(os.Getenv("PPROF"), nil)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go session.New(sh, c).Serve()
	}
}
