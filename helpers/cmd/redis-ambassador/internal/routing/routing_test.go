package routing_test

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/routing"
)

// table is that of a real server.
func table(t *testing.T) *routing.Table {
	t.Helper()
	conn, err := net.Dial("tcp", redistest.Start(t).Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(resp.Append(nil, "COMMAND")); err != nil {
		t.Fatal(err)
	}
	reply, err := resp.Read(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	table, err := routing.NewTable(reply)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var kinds = map[routing.Kind]string{
	routing.Read: `get x|GET x|MGET x y|HGETALL x|ZRANGE x 0 1|SORT_RO x|EVAL_RO s 0|FCALL_RO f 0|GEORADIUS_RO x 1 1 1 m|BITFIELD_RO x|
		DBSIZE|KEYS *|RANDOMKEY|XRANGE x - +|XREAD STREAMS x 0|XREAD COUNT 1 STREAMS block 0|PFCOUNT x|TTL x|DUMP x|LCS x y|EXISTS x|TYPE x`,
	routing.Write: `SET x 1|GETSET x 1|GETEX x|GETDEL x|SORT x|GEORADIUS x 1 1 1 m|BITFIELD x|XREADGROUP GROUP g c STREAMS x >|XREADGROUP GROUP block count NOACK STREAMS x >|EVAL s 0|EVALSHA s 0|
		FCALL f 0|FUNCTION LOAD f|SCRIPT LOAD s|FLUSHALL|SPOP x|XADD x * f v|XCLAIM x g c 0 1-1|RESTORE x 0 y|COPY x y|LMPOP 1 x LEFT|NOSUCH x|` +
		strings.Repeat("x", 100),
	routing.Primary: `PING|ECHO x|INFO|TIME|CONFIG GET x|PUBLISH x y|SPUBLISH x y|EVALSHA_RO s 0|OBJECT ENCODING x|
		object freq x|OBJECT HELP|MEMORY USAGE x|MEMORY DOCTOR|XINFO STREAM x|XPENDING x g|TOUCH x|CLIENT ID|CLIENT GETNAME|CLIENT KILL x|ACL WHOAMI|
		PUBSUB CHANNELS|CLUSTER INFO|DEBUG SLEEP 0|COMMAND|ROLE|REPLICAOF NO ONE|CLIENT|LATENCY RESET|ASKING|READONLY`,
	routing.Blocks: `BLPOP x 0|BRPOP x 0|BLMOVE x y LEFT LEFT 0|BLMPOP 0 1 x LEFT|BZPOPMIN x 0|BZMPOP 0 1 x MIN|XREAD BLOCK 0 STREAMS x 0|xread count 1 block 0 streams x 0|XREADGROUP GROUP g c BLOCK 0 STREAMS x >|
		XREADGROUP GROUP streams c BLOCK 0 STREAMS x >|XREADGROUP GROUP g streams COUNT 1 BLOCK 0 STREAMS x >|XREADGROUP GROUP g c COUNT streams BLOCK 0 STREAMS x >|
		xreadgroup noack group STREAMS streams count 1 block 0 streams x >`,
	routing.Scan:    `SCAN 0|HSCAN x 0|SSCAN x 0|zscan x 0`,
	routing.Waits:   `WAIT 1 0`,
	routing.Setup:   `AUTH x|HELLO 3|SELECT 1|client setname x|CLIENT SETINFO LIB-NAME x|CLIENT NO-EVICT ON|CLIENT NO-TOUCH ON`,
	routing.Multi:   `MULTI`,
	routing.Exec:    `EXEC`,
	routing.Discard: `DISCARD`,
	routing.Watch:   `WATCH x`,
	routing.Unwatch: `UNWATCH`,
	routing.Pipe:    `SUBSCRIBE x|PSUBSCRIBE x|SSUBSCRIBE x|UNSUBSCRIBE|MONITOR|CLIENT TRACKING ON|CLIENT REPLY OFF`,
	routing.Reset:   `RESET`,
	routing.Quit:    `QUIT`,
	routing.Refused: `SYNC|PSYNC ? -1`,
}

func TestWhereCommandsGo(t *testing.T) {
	t.Parallel()
	table := table(t)
	for kind, commands := range kinds {
		for command := range strings.SplitSeq(commands, "|") {
			if got, _ := table.Of(words(command)); got != kind {
				t.Errorf("%s: got kind %d, want %d", command, got, kind)
			}
		}
	}
}

// What may go over a connection that others use. A name that is missing here goes over the client's own.
func TestWhichCommandsAreShareable(t *testing.T) {
	t.Parallel()
	table := table(t)
	for shareable, commands := range map[bool]string{
		true: `get x|SET x 1|MGET x y|INCR x|DEL x|XADD x * f v|XRANGE x - +|EXISTS x|TTL x|SORT x|DBSIZE|KEYS *|FLUSHALL|SCAN 0|HSCAN x 0|
			OBJECT ENCODING x|MEMORY USAGE x|XINFO STREAM x|XPENDING x g|TOUCH x|PING|ECHO x`,
		false: kinds[routing.Blocks] + "|" + kinds[routing.Waits] + "|" + kinds[routing.Setup] + "|" + kinds[routing.Pipe] + `|MULTI|EXEC|DISCARD|WATCH x|
			UNWATCH|EVAL s 0|EVALSHA s 0|EVAL_RO s 0|EVALSHA_RO s 0|FCALL f 0|FCALL_RO f 0|FUNCTION LOAD f|FUNCTION KILL|SCRIPT LOAD s|SCRIPT KILL|CLIENT ID|
			CLIENT GETNAME|CLIENT KILL x|ACL WHOAMI|CONFIG GET x|DEBUG SLEEP 0|ASKING|READONLY|NOSUCH x`,
	} {
		for command := range strings.SplitSeq(commands, "|") {
			if _, got := table.Of(words(command)); got != shareable {
				t.Errorf("%s: shareable is %v", command, got)
			}
		}
	}
}

func words(command string) [][]byte {
	var words [][]byte
	for word := range strings.FieldsSeq(command) {
		words = append(words, []byte(word))
	}
	return words
}

// Before a server could be asked, the rules hold, and nothing is a read.
func TestWithoutATable(t *testing.T) {
	t.Parallel()
	var none *routing.Table
	for command, want := range map[string]routing.Kind{"GET x": routing.Write, "CLIENT": routing.Write, "CLIENT ID": routing.Write, "MULTI": routing.Multi, "client reply off": routing.Pipe, "QUIT": routing.Quit} {
		if got, _ := none.Of(words(command)); got != want {
			t.Errorf("%s: got kind %d, want %d", command, got, want)
		}
	}
}

func TestNoTableOfNonsense(t *testing.T) {
	t.Parallel()
	for _, reply := range []resp.Value{nil, "x", int64(1), []resp.Value{}, []resp.Value{"x", []resp.Value{"get"}}} {
		if _, err := routing.NewTable(reply); err == nil {
			t.Errorf("a table of %v", reply)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	var none *routing.Table
	args := words("GET key")
	b.ReportAllocs()
	for b.Loop() {
		none.Of(args)
	}
}
