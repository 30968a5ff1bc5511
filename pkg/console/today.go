package console

import (
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// today adds up what HISTORY took of links since midnight in the site's zone. It is not known where an hour is not.
func (c *Console) today(links []admin.LinkStatus) span {
	now := c.Now().In(c.Zone())
	sum := span{Start: time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()), Known: true}
	for _, l := range links {
		s := spanOf(c.hours(l.ID, int(now.Sub(sum.Start)/time.Hour)+1))
		sum.Known = sum.Known && s.Known
		sum.Good, sum.Bad, sum.Off = sum.Good+s.Good, sum.Bad+s.Bad, sum.Off+s.Off
	}
	return sum
}
