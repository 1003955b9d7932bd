package topology

import (
	"fmt"
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
	offset      int64 // how far in that history
	at          time.Time
}

func (o observation) isPrimary() bool { return o.role == Primary && o.serves }

func (o observation) follows(primary observation) bool {
	return o.role == Replica && o.linked && o.id == primary.id
}

// elect decides which server is the primary. With one that says so it is that one. Of several, the first of these
// rules decides that leaves one; each is evidence of which one a failover meant, and none is a guess:
//
//  1. more of the replicas that are seen follow it;
//  2. it was promoted out of the other's history, so somebody chose it after the other;
//  3. it is the one that was in use: writes that were acknowledged are there.
//
// When none does, there is no primary: a write that is refused can be repeated, one that went to the wrong server is
// lost when that server is made a replica.
func elect[S comparable](seen map[S]observation, current S) (primary S, found bool, reason string) {
	var claims []S
	for server, o := range seen {
		if o.isPrimary() {
			claims = append(claims, server)
		}
	}
	switch len(claims) {
	case 0:
		return primary, false, "no server says that it is the primary"
	case 1:
		return claims[0], true, "it is the only one that says so"
	}
	claims = most(claims, func(s S) int { return followers(seen, seen[s]) })
	if len(claims) == 1 {
		return claims[0], true, "of several that say so, most replicas follow it"
	}
	claims = most(claims, func(s S) int { return outlived(seen, claims, seen[s]) })
	if len(claims) == 1 {
		return claims[0], true, "of several that say so, it was promoted last"
	}
	for _, s := range claims {
		if s == current {
			return s, true, "of several that say so, it was the primary before"
		}
	}
	return primary, false, fmt.Sprintf("%d servers say that they are the primary, and nothing tells which one is meant; make the others replicas (REPLICAOF)", len(claims))
}

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
