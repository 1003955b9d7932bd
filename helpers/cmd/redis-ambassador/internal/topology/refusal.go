package topology

import (
	"errors"
	"strings"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// errCluster says that a server divides the keys with others: what it replies to most commands is where to go.
var errCluster = errors.New("it is a node of a Redis Cluster, which is not supported: a primary with its replicas is, " +
	"outside of a cluster; let a client that knows clusters connect with the nodes itself")

// denied tells whether a server answers and doesn't let one command be run: the user lacks the right, or the command was
// renamed.
func denied(err error) bool {
	var reply resp.Error
	return errors.As(err, &reply) && (reply.Code() == "NOPERM" || strings.HasPrefix(string(reply), "ERR unknown command"))
}

// refusal is a server's own word why it can't be watched, and what to do, empty when the error is no such word.
func refusal(err error) string {
	if errors.Is(err, errCluster) {
		return err.Error()
	}
	var reply resp.Error
	if !errors.As(err, &reply) {
		return ""
	}
	switch {
	case denied(err):
		return string(reply) + "; the checks need ROLE or INFO, PING and COMMAND: grant the user +role +info +ping +command (ACL SETUSER), " +
			"or give the checks another one, redis.monitorUsername and monitorAuthSecretRef"
	case reply.Code() == "NOAUTH":
		return string(reply) + " Name the Secret with the password in redis.authSecretRef, or in monitorAuthSecretRef for the checks alone"
	case reply.Code() == "WRONGPASS":
		return string(reply) + "; see redis.username and authSecretRef, or monitorUsername and monitorAuthSecretRef where they are set"
	}
	return string(reply)
}
