package resp

import "bytes"

// errInline is what Redis says of quotes that don't fit.
const errInline = ProtocolError("unbalanced quotes in request")

// inline reads a command as a person types it, with the words that Redis would make of it (networking.c:
// processInlineBuffer).
func (c *Commands) inline(b []byte) (Command, error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) > maxInline {
			return Command{}, ProtocolError("too big inline request")
		}
		return Command{}, nil
	}
	line := bytes.TrimSuffix(b[:end], []byte("\r"))
	if bytes.IndexByte(line, 0) >= 0 { // Redis finds no end of such a line, nor of any after it
		return Command{}, ProtocolError("an inline request with a zero byte")
	}
	found := Command{Args: c.args[:0], Len: end + 1, Complete: true, Inline: true}
	for {
		word, rest, err := splitWord(line)
		if err != nil || word == nil {
			return found, err
		}
		if found.Count++; found.Count <= keptArgs {
			found.Args = append(found.Args, word)
		}
		line = rest
	}
}

// splitWord takes the first word off a line, nil when there is none (sds.c: sdssplitargs). A word without quotes lies in
// the line.
func splitWord(line []byte) (word, rest []byte, err error) {
	for len(line) > 0 && isSpace(line[0]) {
		line = line[1:]
	}
	if len(line) == 0 {
		return nil, nil, nil
	}
	i := 0
	for i < len(line) && !endsWord(line[i]) {
		if line[i] == '"' || line[i] == '\'' {
			return splitQuoted(line, i)
		}
		i++
	}
	return line[:i:i], line[i:], nil
}

// splitQuoted is splitWord for a word with a quote at the index. The closing quote is the word's end.
func splitQuoted(line []byte, quote int) (word, rest []byte, err error) {
	word = append(make([]byte, 0, len(line)), line[:quote]...)
	double := line[quote] == '"'
	for i := quote + 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == line[quote]:
			if i+1 < len(line) && !isSpace(line[i+1]) {
				return nil, nil, errInline
			}
			return word, line[i+1:], nil
		case c == '\\' && !double && i+1 < len(line) && line[i+1] == '\'':
			i++
			word = append(word, '\'')
		case c == '\\' && double && i+3 < len(line) && line[i+1] == 'x' && isHex(line[i+2]) && isHex(line[i+3]):
			word = append(word, unhex(line[i+2])<<4|unhex(line[i+3]))
			i += 3
		case c == '\\' && double && i+1 < len(line):
			i++
			word = append(word, unescape(line[i]))
		default:
			word = append(word, c)
		}
	}
	return nil, nil, errInline
}

// isSpace is C's isspace.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func endsWord(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func unescape(c byte) byte {
	if i := bytes.IndexByte([]byte("nrtba"), c); i >= 0 {
		return "\n\r\t\b\a"[i]
	}
	return c
}
