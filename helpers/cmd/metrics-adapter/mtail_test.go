package main

import (
	"fmt"
	"strings"
	"testing"
)

// What mtail's example programs count, said in rules: each with lines of the kind that it is for.
//
// Left out: nocode and log_filter, which count nothing of their own; mysql_slowqueries, sessions of vsftpd and times of
// connections of rsyncd, which remember one line for another one; the bits of ntpd_peerstats' status, and what lighttpd
// subtracts, since there is no arithmetic on groups.
var mtailPrograms = map[string]struct{ rules, lines, want string }{
	"linecount": {`
- {source: log, regex: '$', metric: lines_total}`, `
a
b`, `
lines_total 2`},
	"histogram, timer": {`
- {source: log, regex: 'latency=(?P<s>\d+)s httpcode=(?P<code>\d+)', emit: [{metric: webserver_latency_seconds, value: s, labels: {code: "${code}"}}]}`, `
latency=1s httpcode=200
latency=3s httpcode=200`, `
webserver_latency_seconds_bucket{code="200",le="2"} 1
webserver_latency_seconds_bucket{code="200",le="4"} 2
webserver_latency_seconds_sum{code="200"} 4`},
	"apache_common, apache_combined": {`
- source: log
  regex: '^(?P<host>\S+) \S+ \S+ \[[^\]]+\] "(?P<method>[A-Z]+) (?P<uri>\S+) (?P<version>HTTP/[0-9.]+)" (?P<code>\d{3}) (?P<size>\d+|-) (?P<us>\d+) "\S+" "(?P<agent>[[:print:]]+)"$'
  emit:
  - {metric: requests_total, labels: {method: "${method}", version: "${version}", code: "${code}"}}
  - {metric: bytes_total, value: size, when: size > 0, labels: {code: "${code}"}}
  - {metric: response_time_seconds, value: us, scale: 1.0e-6, labels: {uri: "${uri}"}}`, `
192.0.2.1 - - [08/Apr/2010:20:43:02 -0700] "GET /a HTTP/1.1" 200 367 4000 "-" "agent 1"
192.0.2.1 - - [08/Apr/2010:20:43:03 -0700] "GET /a HTTP/1.1" 304 - 2000 "-" "agent 1"`, `
requests_total{code="200",method="GET",version="HTTP/1.1"} 1
requests_total{code="304",method="GET",version="HTTP/1.1"} 1
bytes_total{code="200"} 367
response_time_seconds{uri="/a"} 0.002`},
	"apache_metrics": {`
- source: log
  regex: '^(?P<port>\S+) (?P<handler>\S+) (?P<method>[A-Z]+) (?P<code>\d{3}) (?P<protocol>\S+) (?P<connection>conn=.) (?P<us>\d+) (?P<sent>\d+) (?P<received>\d+) (?P<keepalives>\d+)$'
  emit:
  - {metric: http_request_duration_seconds, value: us, scale: 1.0e-6, labels: {code: "${code}"}}
  - {metric: http_response_bytes_total, value: sent, labels: {code: "${code}"}}
  - {metric: http_connections_aborted_total, when: connection == "conn=X"}
  - {metric: http_connections_closed_total, when: connection == "conn=-"}`, `
a:443 proxy GET 200 HTTP/1.1 conn=X 1500000 100 10 0
a:443 proxy GET 200 HTTP/1.1 conn=- 500000 50 10 0`, `
http_request_duration_seconds_sum{code="200"} 2
http_request_duration_seconds_count{code="200"} 2
http_response_bytes_total{code="200"} 150
http_connections_aborted_total 1
http_connections_closed_total 1`},
	"lighttpd": {`
- source: log
  regex: '^(?P<for>\S+) (?P<proxy>\S+) \S+ \[[^\]]+\] "\S+ (?P<url>.+?) \S+" (?P<status>\d+) (?P<body>\d+) (?P<in>\d+) (?P<out>\d+) (?P<s>\d+) "[^"]+" "[^"]+"'
  emit:
  - {metric: requests_total, when: url != "/healthz", labels: {status: "${status}"}}
  - {metric: in_bytes_total, value: in, when: url != "/healthz", labels: {status: "${status}"}}
  - {metric: taken_seconds_total, value: s, when: url != "/healthz", labels: {status: "${status}"}}
  - {metric: proxied_requests_total, when: url != "/healthz" && for != "-", labels: {proxy: "${proxy}"}}`, `
198.51.100.71 192.0.2.5 - [08/Apr/2010:20:43:02 -0700] "GET /a HTTP/1.0" 200 191 367 464 1 "-" "x 1"
- 192.0.2.5 - [08/Apr/2010:20:43:02 -0700] "GET /b HTTP/1.0" 200 24429 354 24703 0 "-" "x 1"
- 192.0.2.5 - [08/Apr/2010:20:43:02 -0700] "GET /healthz HTTP/1.0" 200 1 1 1 1 "-" "x 1"`, `
requests_total{status="200"} 2
in_bytes_total{status="200"} 721
taken_seconds_total{status="200"} 1
proxied_requests_total{proxy="192.0.2.5"} 1`},
	"rsyncd": {`
- {source: log, regex: '\] (?P<operation>\S+) \S+ \[\S+\] (?P<module>\S+) \(\S*\) \S+ (?P<bytes>\d+)', metric: transfers_total, labels: {operation: "${operation}", module: "${module}"}}
- {source: log, regex: 'connect from \S+ \(\d+\.\d+\.\d+\.\d+\)', metric: connections_total}
- source: log
  regex: 'sent (?P<sent>\d+) bytes  received (?P<received>\d+) bytes  total size \d+'
  emit:
  - {metric: bytes_total, value: sent, labels: {operation: sent}}
  - {metric: bytes_total, value: received, labels: {operation: received}}`, `
2011/02/22 21:50:31 [8227] connect from hostname.example.com (192.168.0.126)
2011/02/22 21:50:31 [8227] send hostname [192.168.0.126] module (user) tree/file 528
2011/02/22 21:50:31 [8227] sent 1024 bytes  received 64 bytes  total size 4096`, `
transfers_total{module="module",operation="send"} 1
connections_total 1
bytes_total{operation="sent"} 1024
bytes_total{operation="received"} 64`},
	"vsftpd": {`
- source: log
  regex: '\s(?P<s>\d+)\s\d+\.\d+\.\d+\.\d+\s(?P<bytes>\d+)\s\S+\s\S\s\S\s(?P<direction>\S)\s\S\s\S+\s\S+\s\d\s\S+\s\S'
  groups: [{name: direction, from: direction, map: {i: incoming, o: outgoing}}]
  emit:
  - {metric: transferred_bytes_total, value: bytes, labels: {direction: "${direction}"}}
  - {metric: transfers_total, labels: {direction: "${direction}"}}
- {source: log, regex: ' \[pid \d+\](?: \[\w+\])? (?P<command>CONNECT|OK LOGIN|OK UPLOAD):', metric: events_total, labels: {command: "${command}"}}`, `
Mon Feb 21 15:21:32 2011 1 198.51.100.36 528 /incoming/a.deb b _ i a anonymous@ ftp 0 * c
Mon Feb 21 15:21:33 2011 1 198.51.100.36 752 /incoming/a.changes b _ o a anonymous@ ftp 0 * c
Mon Feb 21 15:21:33 2011 [pid 7] CONNECT: Client "198.51.100.36"
Mon Feb 21 15:21:33 2011 [pid 7] [ftp] OK LOGIN: Client "198.51.100.36", anon password "a"`, `
transferred_bytes_total{direction="incoming"} 528
transferred_bytes_total{direction="outgoing"} 752
transfers_total{direction="incoming"} 1
events_total{command="CONNECT"} 1
events_total{command="OK LOGIN"} 1`},
	"sftp": {`
- {source: log, regex: 'session (?P<what>opened|closed) for local user (?P<user>\w+)', metric: sessions_total, labels: {what: "${what}", user: "${user}"}}
- source: log
  regex: 'close "(?:/home/(?P<user>[^/]+)/)?[^"]+" bytes read (?P<read>\d+) written (?P<written>\d+)'
  emit:
  - {metric: read_bytes_total, value: read, labels: {user: "${user}"}}
  - {metric: read_files_total, when: read != 0}
  - {metric: written_files_total, when: written != 0}`, `
Aug 19 02:14:38 upload sftp-server[7]: session opened for local user alice
Aug 19 02:14:39 upload sftp-server[7]: close "/home/alice/a" bytes read 0 written 7
Aug 19 02:14:39 upload sftp-server[7]: close "/tmp/b" bytes read 5 written 0
Aug 19 02:14:40 upload sftp-server[7]: session closed for local user alice`, `
sessions_total{user="alice",what="opened"} 1
sessions_total{user="alice",what="closed"} 1
read_bytes_total{user="alice"} 0
read_bytes_total 5
read_files_total 1
written_files_total 1`},
	"rails": {`
- {source: log, regex: '^Started (?P<verb>[A-Z]+) ', metric: rails_started_total, labels: {verb: "${verb}"}}
- source: log
  regex: '^Completed (?P<status>\d{3}) .+ in (?P<took>\d+ms) '
  emit:
  - {metric: rails_completed_total, labels: {status: "${status}"}}
  - {metric: rails_completed_seconds, value: took, labels: {status: "${status}"}}`, `
Started GET "/" for 127.0.0.1
Completed 200 OK in 250ms (Views: 1.0ms)`, `
rails_started_total{verb="GET"} 1
rails_completed_total{status="200"} 1
rails_completed_seconds_sum{status="200"} 0.25`},
	"dhcpd, by syslog's prefix": {`
- source: log
  regex: '^\w+\s+\d+\s+\d+:\d+:\d+\s+[\w.-]+\s+dhcpd(?:\[\d+\])?:\s+(?P<command>DHCP\w+|BOOT\w+|balanc\w+)(?: from (?P<mac>[\da-f:]+))?'
  emit:
  - {metric: commands_total, labels: {command: "${command}"}}
  - {metric: discovers_total, when: command == "DHCPDISCOVER", labels: {mac: "${mac}"}}`, `
Sep 19 09:45:01 host dhcpd[7]: DHCPDISCOVER from 00:00:5e:00:53:01 via eth0
Sep 19 09:45:02 host dhcpd[7]: DHCPACK on 192.0.2.7
Sep 19 09:45:03 host cron[9]: DHCPACK`, `
commands_total{command="DHCPDISCOVER"} 1
commands_total{command="DHCPACK"} 1
discovers_total{mac="00:00:5e:00:53:01"} 1`},
	"ntpd, postfix, by syslog's prefix": {`
- {source: log, regex: ' ntpd\[\d+\]: .*too many recvbufs allocated \((?P<n>\d+)\)', emit: [{metric: overflows_total}, {metric: last_recvbufs, value: n}]}
- {source: log, regex: ' postfix/(?P<process>\w+)\[\d+\]: .* status=(?P<status>\w+)', metric: postfix_total, labels: {process: "${process}", status: "${status}"}}`, `
Sep 19 09:45:01 host ntpd[7]: too many recvbufs allocated (40)
Sep 19 09:45:02 host postfix/smtp[8]: 7A: to=<a@example.com>, relay=b, delay=1, status=sent (250 OK)`, `
overflows_total 1
last_recvbufs 40
postfix_total{process="smtp",status="sent"} 1`},
	"ntpd_peerstats": {`
- source: log
  regex: '^\d+ \d+\.\d+ (?P<peer>\d+\.\d+\.\d+\.\d+) [0-9a-f]+ (?P<offset>-?\d+\.\d+) (?P<delay>\d+\.\d+) (?P<dispersion>\d+\.\d+)'
  emit:
  - {metric: peer_offset_seconds, value: offset, labels: {peer: "${peer}"}}
  - {metric: peer_delay_seconds, value: delay, labels: {peer: "${peer}"}}
  - {metric: peer_readings_total, labels: {peer: "${peer}"}}`, `
54695 7690.466 192.0.2.5 93b4 -0.002345 0.01001 0.00090`, `
peer_offset_seconds{peer="192.0.2.5"} -0.002345
peer_delay_seconds{peer="192.0.2.5"} 0.01001
peer_readings_total{peer="192.0.2.5"} 1`},
}

func TestWhatMtailsProgramsCount(t *testing.T) {
	t.Parallel()
	for name, program := range mtailPrograms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, fmt.Sprintf(`
metrics: {port: {{port}}}
contract:
  name: custom
  buckets: [1, 2, 4, 8]
  metrics: [{name: webserver_latency_seconds, type: histogram}, {name: http_request_duration_seconds, type: histogram}, {name: rails_completed_seconds, type: histogram}]
sources: [{name: log, type: log, log: {volume: logs, path: access.log}}]
rules:%s%s`, program.rules, mtailHistograms(program.rules)))
			write(t, p.path("logs/access.log"), "")
			p.waitFor(`adapter_source_up{source="log"} 1`)
			write(t, p.path("logs/access.log"), program.lines[1:]+"\n")
			p.waitFor(strings.Split(program.want[1:], "\n")...)
		})
	}
}

// mtailHistograms makes those that the contract wants and this program doesn't make.
func mtailHistograms(rules string) (more string) {
	for _, name := range []string{"webserver_latency_seconds", "http_request_duration_seconds", "rails_completed_seconds"} {
		if !strings.Contains(rules, name) {
			more += fmt.Sprintf("\n- {source: log, regex: '(?P<no>^never$)', emit: [{metric: %s, value: no}]}", name)
		}
	}
	return more
}
