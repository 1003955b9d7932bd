package syslog

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/receiver"
)

// Messages as programs send them: severity, facility, app, hostname, and the text.
func TestMessages(t *testing.T) {
	p := newParser()
	for message, want := range map[string]string{
		// RFC 5424, by logger --udp; by the letter; with a byte order mark; with structured data.
		`<19>1 2026-11-28T16:06:39.569217+00:00 vm app - - [timeQuality tzKnown="1" isSynced="0"] hello 1`: "[err mail app vm] hello 1",
		"<13>1 - - - - - -": "[notice user  ] ",
		"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 - \uFEFFhé":  "[notice local4 evntslog mymachine.example.com] hé",
		`<14>1 2026-11-28T16:06:39Z host app 7 - [a@1 b="\"\]"][c@2 d="e"] two` + "\nlines": "[info user app host] two\nlines",
		// RFC 3164: with a host, as nginx and logger --rfc3164 send it; without one, as C's library and Go's do locally.
		"<13>Nov 28 16:06:39 vm app[28837]: hello 2":                             "[notice user app vm] hello 2",
		"<190>Nov  8 16:20:01 host nginx: 10.0.0.1 - [x] \"GET / HTTP/1.1\" 200": `[info local7 nginx host] 10.0.0.1 - [x] "GET / HTTP/1.1" 200`,
		"<156>Nov 28 16:06:39 root: hello 4":                                     "[warning local3 root ] hello 4",
		"<11>Nov 28 16:06:39 a/b-1.2[7]: {\"ms\": 5}\n":                          `[err user a/b-1.2 ] {"ms": 5}`,
		"<13>2026-11-28T16:20:01+00:00 host app[7]: Go's, over a network\n":      "[notice user app host] Go's, over a network",
		"<13>Nov 08 16:20:01 host app: a zero in front of the day":               "[notice user app host] a zero in front of the day",
		// Python's SysLogHandler has no header at all.
		"<14>message\x00":         "[info user  ] message",
		"<14>app: message\x00":    "[info user  ] app: message",
		"<13>1 not RFC 5424":      "[notice user  ] 1 not RFC 5424",
		"<191>":                   "[debug local7  ] ",
		"<0>Nov 28 16:06:39 a: b": "[emerg kern a ] b",
		"":                        "none", "hello": "none", "<192>hello": "none", "<-1>hello": "none", "<x>hello": "none", "<13 hello": "none",
	} {
		text, header, ok := p.parse(message)
		got := fmt.Sprintf("%v %s", header, text)
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%q:\n%q and not\n%q", message, got, want)
		}
	}
}

func TestFraming(t *testing.T) {
	for stream, want := range map[string]string{
		"<13>a\n<14>b\n":                      `["<13>a" "<14>b"]`,
		"<13>a\x00<14>b\x00":                  `["<13>a" "<14>b"]`,
		"<13>the last one":                    `["<13>the last one"]`,
		"8 <13>a\nb\n<14>c\n5 <15>d":          `["<13>a\nb\n" "<14>c" "<15>d"]`,
		"7 <13>a":                             `["<13>a"]`, // cut off
		"99999 <13>a":                         `[long]`,
		"12345678 <13>a\n<13>b\n":             `["12345678 <13>a" "<13>b"]`,
		"12":                                  `["12"]`,
		"\n<13>a\n":                           `["<13>a"]`,
		strings.Repeat("x", 99) + "\n<13>a\n": `[long "<13>a"]`,
	} {
		got := []string{}
		from := bufio.NewReaderSize(strings.NewReader(stream), 64)
		for {
			message, err := next(from)
			if message != "" {
				got = append(got, fmt.Sprintf("%q", message))
			}
			if errors.Is(err, receiver.ErrLong) {
				got = append(got, "long")
			} else if err != nil {
				break
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q: %v and not %s", stream, got, want)
		}
	}
}

// Whatever is sent: no panic, and what is understood has a severity.
func FuzzMessage(f *testing.F) {
	for _, message := range []string{"<13>1 - - - - - -", "<13>Nov 28 16:06:39 vm app[1]: x", "8 <13>a\nb\n<14>c", "<13>\xff", "<13>1 2026-11-28T16:06:39Z h a - - [x y=\"\\]\"]"} {
		f.Add(message)
	}
	p := newParser()
	f.Fuzz(func(t *testing.T, message string) {
		if _, header, ok := p.parse(message); ok && (header[0] == "" || header[1] == "") {
			t.Error(header)
		}
		from := bufio.NewReaderSize(strings.NewReader(message), 32)
		for range len(message) + 2 {
			if _, err := next(from); err != nil && !errors.Is(err, receiver.ErrLong) {
				return
			}
		}
		t.Error("a stream doesn't end")
	})
}
