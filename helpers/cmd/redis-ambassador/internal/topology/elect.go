package topology

import (
	"fmt"
	"slices"
	"time"
)

// Role is a server's own word for itself.
type Role string

// The roles of ROLE (https://redis.io/docs/latest/commands/role/).
const (
	Unknown Role = "unknown"
	Primary Role = "primary"
	Replica Role = "replica"
)

// observation is the result of one check of a server. The zero value is a server that doesn't answer.
type observation struct {
	role   Role
	serves bool // it answers commands: it isn't loading its data, for one
	linked bool // a replica whose link to its primary is up
	// id and priorID are INFO's master_replid and master_replid2: the history of writes that the server holds, and
	// the one it held before it was promoted.
	id, priorID string
	offset      int64     // how far in that history
	at          time.Time // when it was asked
	started     time.Time // when the process began
	run         string    // the process; empty where it doesn't tell
	wasReplica  bool      // it was a replica before it was a primary, as far as was seen
	passed      bool      // it was passed over for the one in use
}

func (o observation) isPrimary() bool { return o.role == Primary && o.serves }

func (o observation) follows(primary observation) bool {
	return o.role == Replica && o.linked && o.id == primary.id
}

// elect decides which server is the primary. Of several that say so, one that is in use stays: writes that were
// acknowledged are there, and what a server that comes back empty has is not among them, even if replicas follow it. Two
// things are stronger, as they tell that somebody chose another one after it: that one was promoted out of its
// history, or was a replica when it was last seen and more replicas follow it now.
//
// Where the one in use doesn't answer, nobody takes its place whom it was preferred to before. Where none is known to be
// in use, the first of these rules decides that leaves one; each is evidence of which one a failover meant, and none is a
// guess:
//
//  1. it was promoted out of the history that was in use;
//  2. more of the replicas that are seen follow it;
//  3. it was promoted out of the other's history.
//
// When none does, there is no primary: a write that is refused can be repeated, one that went to the wrong server is
// lost when that server is made a replica.
func elect[S comparable](seen map[S]observation, current S, history string) (primary S, found bool, reason string) {
	var claims []S
	for server, o := range seen {
		if o.isPrimary() {
			claims = append(claims, server)
		}
	}
	if len(claims) == 0 {
		return primary, false, "no server says that it is the primary"
	}
	claims = distinct(seen, claims, current)
	inUse, known := seen[current]
	switch {
	case inUse.isPrimary():
		heirs := only(claims, func(s S) bool { return s != current && succeeds(seen, seen[s], inUse) })
		switch {
		case len(claims) == 1:
			return current, true, "it is the only one that says so"
		case len(heirs) == 0:
			return current, true, "of several that say so, it is the one in use"
		}
		claims = heirs
	case known && inUse.role == "":
		if claims = only(claims, func(s S) bool { return !seen[s].passed }); len(claims) == 0 {
			return primary, false, "the one in use doesn't answer, and the others that say that they are the primary lack what was written to it; promote one of its replicas, or take it out of the endpoints"
		}
	case len(claims) == 1:
		return claims[0], true, "it is the only one that says so"
	}
	if len(claims) == 1 {
		return claims[0], true, "it took the place of the one in use"
	}
	claims = most(claims, func(s S) int { return number(history != "" && seen[s].priorID == history) })
	if len(claims) == 1 {
		return claims[0], true, "of several that say so, it was promoted out of the history in use"
	}
	followed := most(claims, func(s S) int { return followers(seen, seen[s]) })
	if len(followed) == 1 && !predated(seen, claims, seen[followed[0]]) {
		return followed[0], true, "of several that say so, most replicas follow it"
	}
	last := most(claims, func(s S) int { return outlived(seen, claims, seen[s]) })
	if len(last) == 1 {
		return last[0], true, "of several that say so, it was promoted last"
	}
	return primary, false, fmt.Sprintf("%d servers say that they are the primary, and nothing tells which one is meant; make the others replicas (REPLICAOF)", len(claims))
}

// distinct leaves one of the claims that are one server's, which has several names: an address may have passed from one to
// another, and DNS still tell of both.
func distinct[S comparable](seen map[S]observation, claims []S, current S) []S {
	slices.SortStableFunc(claims, func(a, b S) int { return number(b == current) - number(a == current) })
	runs := map[string]bool{}
	return only(claims, func(s S) bool {
		run := seen[s].run
		again := run != "" && runs[run]
		runs[run] = true
		return !again
	})
}

// succeeds tells whether somebody has chosen a server after the one in use.
func succeeds[S comparable](seen map[S]observation, o, inUse observation) bool {
	return o.priorID != "" && o.priorID == inUse.id || o.wasReplica && followers(seen, o) > followers(seen, inUse)
}

// predated tells whether another claim was promoted and has run for longer, and so may have had a failover's writes before
// this one was there: a primary that came back, and whose replicas have found it again, is no heir.
func predated[S comparable](seen map[S]observation, claims []S, o observation) bool {
	return len(only(claims, func(s S) bool {
		other := seen[s]
		return other.priorID != "" && other.id != o.priorID && other.started.Add(startPrecision).Before(o.started)
	})) > 0
}

// startPrecision is how exactly Redis tells since when it runs, and a bit.
const startPrecision = 2 * time.Second

func followers[S comparable](seen map[S]observation, primary observation) int {
	count := 0
	for _, o := range seen {
		if o.follows(primary) {
			count++
		}
	}
	return count
}

// outlived counts the claims whose history a server has continued.
func outlived[S comparable](seen map[S]observation, claims []S, o observation) int {
	count := 0
	for _, other := range claims {
		if o.priorID != "" && o.priorID == seen[other].id {
			count++
		}
	}
	return count
}

func only[S comparable](servers []S, meant func(S) bool) []S {
	var all []S
	for _, s := range servers {
		if meant(s) {
			all = append(all, s)
		}
	}
	return all
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// most keeps the servers with the highest rank.
func most[S comparable](servers []S, rank func(S) int) []S {
	var best []S
	highest := -1
	for _, s := range servers {
		switch r := rank(s); {
		case r > highest:
			best, highest = []S{s}, r
		case r == highest:
			best = append(best, s)
		}
	}
	return best
}
