package topology

import "time"

// history remembers where the primary was when. A replica's lag in time follows from it: Redis itself tells it in
// bytes only.
type history struct {
	id     string
	points []point // in order
	apart  time.Duration
}

type point struct {
	at     time.Time
	offset int64
}

// lagPrecision is how far apart points are that lags are told by.
const lagPrecision = 400 * time.Millisecond

// historyPoints bounds the time back to which a lag can be told: more than three minutes.
const historyPoints = 480

func (h *history) add(id string, offset int64, at time.Time) {
	if h.id != id {
		*h = history{id: id, apart: h.apart}
	}
	if last := len(h.points) - 1; last >= 0 && at.Sub(h.points[last].at) < h.apart {
		return
	}
	if len(h.points) == historyPoints {
		h.points = append(h.points[:0], h.points[1:]...)
	}
	h.points = append(h.points, point{at, offset})
}

// lag is for how long, at least, the primary has been past the offset.
func (h *history) lag(offset int64, now time.Time) time.Duration {
	for _, p := range h.points {
		if p.offset > offset {
			return now.Sub(p.at)
		}
	}
	return 0
}
