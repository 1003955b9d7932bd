package resp

import (
	"bufio"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var replies = []string{
	"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "*0\r\n", "*-1\r\n",
	"*2\r\n$1\r\na\r\n*2\r\n:1\r\n+b\r\n", "_\r\n", ",1.5\r\n", "#t\r\n", "(123456789012345678901234567890\r\n",
	"=8\r\ntxt:some\r\n", "!5\r\nERR x\r\n", "~1\r\n:1\r\n", "%1\r\n+a\r\n*1\r\n:2\r\n", ">2\r\n+x\r\n:1\r\n",
	"|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n", "*1\r\n*1\r\n*1\r\n*0\r\n", "$13\r\n*1\r\n$1\r\n\r\n\r\nx\r\n",
}

func TestRepliesEndWhereTheyEnd(t *testing.T) {
	stream := strings.Join(replies, "")
	for size := 1; size <= len(stream); size++ {
		var r Replies
		var got []string
		var one strings.Builder
		for rest := []byte(stream); len(rest) > 0; {
			chunk := rest[:min(size, len(rest))]
			rest = rest[len(chunk):]
			for len(chunk) > 0 {
				n, ended, err := r.Scan(chunk)
				if err != nil {
					t.Fatal(err)
				}
				one.Write(chunk[:n])
				chunk = chunk[n:]
				if ended {
					got = append(got, one.String())
					one.Reset()
				}
			}
		}
		if !reflect.DeepEqual(got, replies) {
			t.Fatalf("in pieces of %d: got %q", size, got)
		}
	}
}

func TestHeadTellsTheReply(t *testing.T) {
	for reply, want := range map[string]string{
		"-READONLY You can't write against a read only replica.\r\n": "-READONLY You can't writ",
		"+RESET\r\n":          "+RESET",
		"$5\r\nhello\r\n":     "$",
		"*1\r\n-ERR no\r\n":   "*",
		">1\r\n+invalidate\r": ">",
		"%0\r\n":              "%",
	} {
		for size := 1; size <= len(reply); size++ {
			var r Replies
			for i := 0; i < len(reply); i += size {
				if _, _, err := r.Scan([]byte(reply[i:min(i+size, len(reply))])); err != nil {
					t.Fatal(err)
				}
			}
			if got := string(r.Head()); got != want {
				t.Errorf("%q in pieces of %d: got %q, want %q", reply, size, got, want)
			}
		}
	}
}

func TestRepliesThatAreNone(t *testing.T) {
	for _, bytes := range []string{"x", "$x\r\n", "$\r\n", "*?\r\n", "$536870913\r\n", "*99999999999\r\n", "$--1\r\n", "*1\r\nx", "%9999999999\r\n", "$1-\r\n"} {
		var r Replies
		if _, _, err := r.Scan([]byte(bytes)); err == nil {
			t.Errorf("%q is taken", bytes)
		}
	}
}

func command(args ...string) string { return string(Append(nil, args...)) }

func TestCommands(t *testing.T) {
	var c Commands
	for stream, want := range map[string][]string{
		command("SET", "k", ""):              {"SET", "k", ""},
		"PING\r\n":                           {"PING"},
		"  set k  v \n":                      {"set", "k", "v"},
		`"set" 'a\'b' x"\x41\n\"" ""` + "\n": {"set", "a'b", "xA\n\"", ""},
		"\r\n":                               nil,
		"*0\r\n":                             nil,
		"*-1\r\n":                            nil,
		command(make([]string, 20)...):       make([]string, keptArgs),
		command("GET", "a\r\n$1\r\nb"):       {"GET", "a\r\n$1\r\nb"},
		command("GET", strings.Repeat("x", 1000)): {"GET", strings.Repeat("x", 1000)},
	} {
		got, err := c.Next([]byte(stream + "rest"))
		var args []string
		for _, arg := range got.Args {
			args = append(args, string(arg))
		}
		if err != nil || !got.Complete || got.Len != len(stream) || !reflect.DeepEqual(args, want) {
			t.Errorf("%.40q: got %.40q, %+v, %v", stream, args, got, err)
		}
		for i := range len(stream) {
			if got, err := c.Next([]byte(stream[:i])); err != nil || got.Complete {
				t.Errorf("%.40q: got %+v, %v", stream[:i], got, err)
			}
		}
	}
	for _, stream := range []string{"*02\r\n", "*-0\r\n", "*1\r\n$04\r\n", "*1\r\n$-0\r\n", "PING \x00\r\n", "GET \"x\n", "GET 'x'y\n", "*x\r\n", "*1\r\n+x\r\n", "*1\r\n$-1\r\n", "*1\r\n$536870913\r\n", "*1\r\n$1x", "*1\rx", "*9999999999\r\n", strings.Repeat("x", maxInline+1)} {
		if got, err := c.Next([]byte(stream)); err == nil {
			t.Errorf("%.40q: got %+v", stream, got)
		}
	}
}

func TestPassing(t *testing.T) {
	stream := command("MSET", strings.Repeat("k", 50), strings.Repeat("v", 500), "x", "")
	for first := 5; first < len(stream); first++ {
		for size := 25; size < 200; size += 25 {
			var c Commands
			n, ended, err := c.Pass([]byte(stream[:first]))
			for end := first; err == nil && !ended; {
				end = min(end+size, len(stream)+4)
				var m int
				m, ended, err = c.Passing([]byte((stream + "more")[n:end]))
				n += m
			}
			if err != nil || n != len(stream) {
				t.Fatalf("first %d, pieces of %d: passed %d of %d, %v", first, size, n, len(stream), err)
			}
		}
	}
}

func TestRead(t *testing.T) {
	for reply, want := range map[string]Value{
		"+OK\r\n": "OK", "-NOAUTH no\r\n": Error("NOAUTH no"), ":5\r\n": int64(5), "$2\r\nab\r\n": "ab", "$-1\r\n": nil,
		"*2\r\n:1\r\n*1\r\n+x\r\n": []Value{int64(1), []Value{"x"}},
	} {
		got, err := Read(bufio.NewReader(strings.NewReader(reply)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v", reply, got, err)
		}
	}
	deep := strings.Repeat("*1\r\n", 20) + ":1\r\n"
	for _, reply := range []string{"", "x", "?\r\n", "$9999999\r\n", "*99999999999999999999\r\n", ":x\r\n", deep, "*1000000000\r\n", "\n"} {
		if got, err := Read(bufio.NewReader(strings.NewReader(reply))); err == nil {
			t.Errorf("%q: got %v", reply, got)
		}
	}
}

// Where a stream ends, and whether it is refused, doesn't depend on how it is cut into pieces.
func FuzzReplies(f *testing.F) {
	for i, reply := range replies {
		f.Add([]byte(reply), uint8(i+1))
	}
	f.Add([]byte(strings.Join(replies, "")), uint8(7))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		if whole, pieces := outline(stream, len(stream)), outline(stream, int(size%16)+1); whole != pieces {
			t.Fatalf("whole: %s; in pieces: %s", whole, pieces)
		}
		_, _ = Read(bufio.NewReader(strings.NewReader(string(stream))))
	})
}

// outline tells where replies end, and whether the stream is refused.
func outline(stream []byte, size int) string {
	var (
		r   Replies
		b   strings.Builder
		pos int
	)
	for pos < len(stream) {
		end := min(pos+max(size, 1), len(stream))
		for pos < end {
			n, ended, err := r.Scan(stream[pos:end])
			if err != nil {
				return b.String() + "refused"
			}
			if n == 0 {
				return "no progress"
			}
			if pos += n; ended {
				fmt.Fprintf(&b, "%d:%s ", pos, r.Head())
			}
		}
	}
	return b.String()
}

func FuzzCommands(f *testing.F) {
	for _, seed := range []string{command("SET", "k", "v"), "PING\r\n", "*0\r\n", "*2\r\n$3\r\nGET\r\n$100\r\nx", "*1\r\n$-1\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		var c Commands
		got, err := c.Next(stream)
		if err != nil {
			return
		}
		if got.Len > len(stream) || len(got.Args) > got.Count {
			t.Fatalf("%+v of %d bytes", got, len(stream))
		}
		if got.Complete && got.Count > 0 && stream[0] == '*' {
			var passing Commands
			if n, ended, err := passing.Pass(stream); err != nil || !ended || n != got.Len {
				t.Fatalf("Next takes %d bytes, Pass %d, %v, %v", got.Len, n, ended, err)
			}
		}
	})
}
