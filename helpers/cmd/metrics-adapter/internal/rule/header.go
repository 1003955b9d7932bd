package rule

// HeaderGroups are the groups that the header of a syslog message gives.
var HeaderGroups = []string{"severity", "facility", "app", "hostname"}

// Header has their values, in that order. A message's own groups of these names come first.
type Header [4]string
