package query

import "strconv"

// Groups puts an object's fields where they are asked for; of anything else there is the field value.
func (f Found) Groups(names, into []string) {
	fields, object := f.Value.(map[string]any)
	if !object {
		fields = map[string]any{"value": f.Value}
	}
	for i, name := range names {
		into[i] = Text(fields[name])
	}
}

// Text is a value as a label has it, empty for lists and objects.
func Text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
