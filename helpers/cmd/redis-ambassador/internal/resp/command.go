package resp

import "math"

const (
	// maxArgs and maxInline are Redis' own limits (networking.c: processMultibulkBuffer, PROTO_INLINE_MAX_SIZE).
	maxArgs   = math.MaxInt32
	maxInline = 64 << 10
	// keptArgs is how many arguments a Command carries: what a route can depend on, and the longest HELLO.
	keptArgs = 16
)

// Commands finds commands in a client's stream. The zero value is at the start of a command.
type Commands struct {
	args  [keptArgs][]byte
	left  int64 // arguments of a passing command that are still to come
	skip  int64 // bytes of its current argument still to come, its CRLF included
	inArg bool
}

// Command is a command, or the beginning of one. Its arguments lie in the buffer it was found in.
type Command struct {
	Args     [][]byte // the first ones, at most keptArgs
	Count    int      // of all of them
	Len      int      // bytes in the buffer
	Complete bool
	Inline   bool // typed by a person, as it seems: not an array of strings
}

// Next returns the command at the start of b. A command that isn't Complete ends beyond b: what is there of it
// is told, and when it fills the buffer, Pass lets it pass in pieces.
func (c *Commands) Next(b []byte) (Command, error) {
	if len(b) == 0 {
		return Command{}, nil
	}
	if b[0] != '*' {
		return c.inline(b)
	}
	count, n, err := header(b, '*')
	if n == 0 || err != nil {
		return Command{}, err
	}
	if count > maxArgs {
		return Command{}, ProtocolError("invalid multibulk length")
	}
	found := Command{Args: c.args[:0], Count: int(max(count, 0))}
	for i := range int64(found.Count) {
		size, m, err := argument(b[n:])
		if err != nil {
			return Command{}, err
		}
		if m == 0 || int64(len(b)-n-m) < size+2 {
			return found, nil
		}
		if i < keptArgs {
			found.Args = append(found.Args, b[n+m:n+m+int(size)])
		}
		n += m + int(size) + 2
	}
	found.Len, found.Complete = n, true
	return found, nil
}

// header reads a line of a sign and a number. n is its length, 0 while its end is missing. The number is written as Redis
// takes it (util.c: string2ll): without needless zeros.
func header(b []byte, sign byte) (number int64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, nil
	}
	if b[0] != sign {
		return 0, 0, ProtocolError("expected '" + string(sign) + "', got " + quoted(b[0]))
	}
	minus, digits := false, 0
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9' && digits < 10 && !(number == 0 && (digits > 0 || minus && c == '0')):
			number = number*10 + int64(c-'0')
			digits++
		case c == '-' && i == 1:
			minus = true
		case c == '\r' && digits > 0:
			if i+1 == len(b) {
				return 0, 0, nil
			}
			if b[i+1] != '\n' {
				return 0, 0, ProtocolError("expected a line's end, got " + quoted(b[i+1]))
			}
			if minus {
				number = -number
			}
			return number, i + 2, nil
		default:
			return 0, 0, ProtocolError("expected a number, got " + quoted(c))
		}
	}
	return 0, 0, nil
}

func quoted(c byte) string {
	if c < ' ' || c > '~' {
		return "an unprintable byte"
	}
	return "'" + string(rune(c)) + "'"
}

// Pass lets the command at the start of b, which fills b and still isn't complete, pass in pieces. It returns how
// many bytes of b belong to it; the other pieces are found by Passing.
func (c *Commands) Pass(b []byte) (n int, ended bool, err error) {
	if b[0] != '*' {
		return 0, false, ProtocolError("too big inline request")
	}
	count, n, err := header(b, '*')
	if err != nil {
		return 0, false, err
	}
	c.left, c.inArg = count, false
	m, ended, err := c.Passing(b[n:])
	return n + m, ended, err
}

// Passing reads on in b up to the end of the command that passes, and returns how many bytes belong to it and whether
// it has ended. A line that isn't complete is left in b for the next time.
func (c *Commands) Passing(b []byte) (n int, ended bool, err error) {
	for c.left > 0 {
		if !c.inArg {
			size, m, err := argument(b[n:])
			if m == 0 || err != nil {
				return n, false, err
			}
			n += m
			c.skip, c.inArg = size+2, true
		}
		if rest := int64(len(b) - n); rest < c.skip {
			c.skip -= rest
			return len(b), false, nil
		}
		n += int(c.skip)
		c.inArg = false
		c.left--
	}
	return n, true, nil
}

// argument reads the line before an argument.
func argument(b []byte) (size int64, n int, err error) {
	size, n, err = header(b, '$')
	if err == nil && (size < 0 || size > maxBulk) {
		return 0, 0, ProtocolError("invalid bulk length")
	}
	return size, n, err
}

// Append adds a command to b as it goes over the wire.
func Append(b []byte, args ...string) []byte {
	b = appendHeader(b, '*', len(args))
	for _, arg := range args {
		b = appendHeader(b, '$', len(arg))
		b = append(append(b, arg...), '\r', '\n')
	}
	return b
}
