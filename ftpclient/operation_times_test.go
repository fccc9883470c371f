package ftpclient_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// Times are asked for ahead of answers, each goes where it belongs, and a server
// that does not know the question is not asked again.
func TestOperateModTime(t *testing.T) {
	paths := []string{"a", "gone", "odd", "b"}
	for name, change := range map[string]func(f *field){
		"pipelined": func(f *field) {},
		"lockstep":  func(f *field) { f.Greeting = "Microsoft FTP Service" },
		"unknown":   func(f *field) { f.Refuse = map[string]string{"MDTM": "502 what"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{
				Files:  map[string]string{"a": "", "b": "", "odd": ""},
				Times:  map[string]string{"a": "20200229123456", "b": "20200229123457", "odd": "yesterday"},
				Refuse: map[string]string{"MDTM gone": "550 no"},
			}}
			change(f)
			c := f.open(t)
			told := make([]time.Time, len(paths))
			var all []ftpclient.Operation
			for i, path := range paths {
				all = append(all, ftpclient.OpModTime(path, &told[i]))
			}
			errs := carry(t.Context(), t, c, 1, all...)
			errs = append(errs, carry(t.Context(), t, c, 1, ftpclient.OpModTime("a", new(time.Time)))...)
			asked := slices.DeleteFunc(f.Log(), func(line string) bool { return !strings.HasPrefix(line, "MDTM ") })
			if name == "unknown" {
				for _, err := range errs {
					if !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("error %v", err)
					}
				}
				if last := asked[len(asked)-1]; len(asked) > len(paths) || last == "MDTM a" && len(asked) > 1 {
					t.Errorf("sent %q", asked)
				}
				return
			}
			second := leapDay.Truncate(time.Second)
			want := []time.Time{second, {}, {}, second.Add(time.Second)}
			if !slices.EqualFunc(told, want, time.Time.Equal) {
				t.Errorf("told %v, want %v", told, want)
			}
			if !isNil(errs[0]) || !refused(550)(errs[1]) || !isNil(errs[2]) || !isNil(errs[3]) {
				t.Errorf("errors %v", errs)
			}
			if len(asked) != len(paths)+1 {
				t.Errorf("sent %q", asked)
			}
		})
	}
}

// The questions are sent before others are answered.
func TestOperateModTimeAhead(t *testing.T) {
	s := set(t, ftptest.Login(),
		ftptest.Expect("MDTM a"), ftptest.Expect("MDTM b"), ftptest.Send("550 gone", "213 20200229123456"),
		ftptest.Exchange("QUIT", "221 bye"))
	c, err := ftpclient.New(serverURL, &s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var told [2]time.Time
	errs := carry(t.Context(), t, c, 1, ftpclient.OpModTime("a", &told[0]), ftpclient.OpModTime("b", &told[1]))
	if !refused(550)(errs[0]) || !isNil(errs[1]) || !told[0].IsZero() || !told[1].Equal(leapDay.Truncate(time.Second)) {
		t.Errorf("errors %v, told %v", errs, told)
	}
}
