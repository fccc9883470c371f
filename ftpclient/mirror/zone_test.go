package mirror_test

import (
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// lists shows a time as a list does in a zone: cut, and taken for UTC.
func lists(when time.Time, zone *time.Location, precision time.Duration) time.Time {
	y, mo, d := when.In(zone).Date()
	h, mi, s := when.In(zone).Clock()
	return time.Date(y, mo, d, h, mi, s, 0, time.UTC).Truncate(precision)
}

func TestZone(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/St_Johns"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		var z mirror.Zone
		summer := time.Date(2026, 7, 1, 3, 4, 5, 0, time.UTC)
		winter := time.Date(2026, 11, 20, 3, 4, 5, 0, time.UTC)
		for _, when := range []time.Time{summer, winter} {
			if !z.Add(lists(when, zone, time.Minute), time.Minute, when) {
				t.Errorf("%s: %v makes no sense", name, when)
			}
		}
		for _, near := range []time.Time{summer.AddDate(0, 0, 9), winter.AddDate(0, 0, -9)} {
			got, precision, doubt := z.UTC(lists(near, zone, time.Minute), time.Minute)
			if want := near.Truncate(time.Minute); !got.Equal(want) || precision != time.Minute || doubt != 0 {
				t.Errorf("%s: %v, to %v and %v, want %v", name, got, precision, doubt, want)
			}
		}
		// A day years ago, in summer or not, holds what is listed for it.
		for _, old := range []time.Time{summer.AddDate(-3, 0, 0), winter.AddDate(-3, 0, 0)} {
			got, precision, doubt := z.UTC(lists(old, zone, 24*time.Hour), 24*time.Hour)
			if doubt != 0 || old.Before(got) || !old.Before(got.Add(precision)) || precision > 26*time.Hour {
				t.Errorf("%s: %v is not within %v of %v", name, old, precision, got)
			}
		}
	}
}

func TestZoneUnknown(t *testing.T) {
	var z mirror.Zone
	if z.Add(at(0), time.Minute, at(7*60)) {
		t.Error("7 minutes are a zone")
	}
	if z.Add(at(0), time.Minute, at(40*3600)) {
		t.Error("40 hours are a zone")
	}
	if z.Add(at(0).Truncate(24*time.Hour), 24*time.Hour, at(0)) {
		t.Error("a day tells the zone")
	}
	if got, precision, doubt := z.UTC(at(0), time.Minute); !got.Equal(at(0)) || precision != time.Minute || doubt < 14*time.Hour {
		t.Errorf("%v, to %v and %v", got, precision, doubt)
	}
	day := at(0).Truncate(24 * time.Hour)
	got, precision, _ := z.UTC(day, 24*time.Hour)
	for _, zone := range []time.Duration{14 * time.Hour, -12 * time.Hour} {
		for _, when := range []time.Duration{0, 24*time.Hour - 1} {
			real := day.Add(when - zone)
			if real.Before(got) || !real.Before(got.Add(precision)) {
				t.Errorf("%v is not within %v of %v", real, precision, got)
			}
		}
	}
}
