package routing

// rules are the commands that the server's flags don't send where they belong. Everything else goes by its flags in
// the reply to COMMAND: readonly is a read, any other command is the primary's. "redis.io" below stands for the command's
// page there, "server.c" and others for the sources of Redis 7.
//
// A name with a space is a command and its subcommand; a bare name holds for all its subcommands that have no rule.
var rules = map[string]Kind{
	// What a connection is, told to every server that it uses. (redis.io: SELECT, AUTH, HELLO, CLIENT …)
	"auth":            Setup,
	"hello":           Setup,
	"select":          Setup,
	"client setname":  Setup,
	"client setinfo":  Setup,
	"client no-evict": Setup,
	"client no-touch": Setup,

	// A transaction is one connection's, and its reads belong to it. (redis.io: Transactions)
	"multi":   Multi,
	"exec":    Exec,
	"discard": Discard,
	"watch":   Watch,
	"unwatch": Unwatch,

	// From here on the server speaks unasked, or doesn't answer: the number of replies no longer tells whose turn it is.
	// (redis.io: Pub/Sub, MONITOR, CLIENT TRACKING, CLIENT REPLY)
	"subscribe":       Pipe,
	"psubscribe":      Pipe,
	"ssubscribe":      Pipe,
	"unsubscribe":     Pipe, // one reply for each channel, or none in RESP3
	"punsubscribe":    Pipe,
	"sunsubscribe":    Pipe,
	"monitor":         Pipe,
	"client tracking": Pipe,
	"client reply":    Pipe,

	// The connection's end. (redis.io: RESET, QUIT)
	"reset": Reset,
	"quit":  Quit,

	// After these the stream is replication's, not RESP. (redis.io: Replication protocol, PSYNC)
	"sync":  Refused,
	"psync": Refused,

	// A cursor means something to the server that gave it only, and clients continue a scan on any connection of
	// their pool. (redis.io: SCAN; dict.c: the cursor counts buckets of this server's table)
	"scan":  Scan,
	"sscan": Scan,
	"hscan": Scan,
	"zscan": Scan,

	// Scripts that SCRIPT LOAD or EVAL brought are not replicated since Redis 7: only the primary is sure to have what
	// was loaded through here. EVAL_RO brings its script along, functions are replicated: these are reads.
	// (redis.io: Scripting with Lua, Script cache; Redis functions)
	"evalsha_ro": Primary,

	// What such a script does is its own affair; the flags don't say that it writes.
	// (redis.io: EVAL, FCALL; FUNCTION and SCRIPT change what the next ones mean)
	"eval":     Write,
	"evalsha":  Write,
	"fcall":    Write,
	"function": Write,
	"script":   Write,

	// They wait for replicas or for the disk, and only since 7.2 do their flags say so. They ask about the writes of
	// their own connection. (redis.io: WAIT, WAITAOF)
	"wait":    Waits,
	"waitaof": Waits,

	// About one server's memory, not about the data: a replica loaded from an RDB file encodes values anew, and its
	// clocks of use are its own. (redis.io: OBJECT, MEMORY; evict.c)
	"object": Primary,
	"memory": Primary,
	// It wants to keep keys from being evicted, which the primary does. (redis.io: TOUCH; evict.c)
	"touch": Primary,
	// They tell of the primary's consumers, whose idle times a replica sees late or never, and of a stream's inner
	// nodes. (redis.io: XPENDING, XINFO; t_stream.c)
	"xpending": Primary,
	"xinfo":    Primary,
}

// neverShared are commands about data that are not sent over a connection that others use: a script may run for long,
// and only other connections are told so (BUSY) or may end it. (redis.io: Scripting with Lua, SCRIPT KILL)
//
// Commands of modules are not shared either: they may be answered late without a flag that says so. (redis.io: Blocking
// commands in the modules API)
var neverShared = map[string]bool{"eval_ro": true, "evalsha_ro": true, "fcall_ro": true, "function": true, "script": true}

// alwaysShared are commands that are about nothing, and that clients send to see whether a connection lives.
var alwaysShared = map[string]bool{"ping": true, "echo": true}
