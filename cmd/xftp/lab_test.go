package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// The scripts in testdata/lab make labs, called $XFTP_NAME and $XFTP_NAME-two,
// which are gone afterwards in any case. They have commands of TestScripts.
func TestLab(t *testing.T) {
	lab.NeedRoot(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/lab",
		Setup: func(env *testscript.Env) error {
			name := fmt.Sprintf("script-%d", os.Getpid())
			env.Setenv("XFTP_NAME", name)
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Defer(func() {
				for _, n := range []string{name, name + "-two"} {
					if err := lab.Down(context.Background(), n); err != nil && !errors.Is(err, lab.ErrDown) {
						t.Error(err)
					}
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"random": scriptRandom,
			"same":   scriptSame,
			"exits":  scriptExits,
			"absent": scriptAbsent,
		},
	})
}

func TestLabValues(t *testing.T) {
	for _, tt := range []struct {
		text string
		want float64
		ok   bool
	}{
		{"0.1%", 0.001, true}, {"0.001", 0.001, true}, {"100%", 1, true}, {"1", 1, true}, {"0", 0, true},
		{"1.5", 0, false}, {"101%", 0, false}, {"-1%", 0, false}, {"%", 0, false}, {"NaN", 0, false}, {"", 0, false},
	} {
		var p probability
		if err := p.Set(tt.text); (err == nil) != tt.ok || math.Abs(float64(p)-tt.want) > 1e-12 {
			t.Errorf("probability %q: %v, %v", tt.text, float64(p), err)
		}
	}
	for _, tt := range []struct {
		text string
		want bitRate
		ok   bool
	}{
		{"100Mbit", 100e6, true}, {"12.5M", 100e6, true}, {"1Gbit", 1e9, true}, {"8kbit", 8000, true}, {"0", 0, true}, {"1000", 8000, true},
		{"1mbit", 0, false}, {"10bit", 0, false}, {"1e9", 0, false}, {"-1k", 0, false}, {"200G", 0, false}, {"", 0, false}, {"M", 0, false},
	} {
		var r bitRate
		if err := r.Set(tt.text); (err == nil) != tt.ok || r != tt.want {
			t.Errorf("rate %q: %d, %v", tt.text, r, err)
		}
	}
	for want, p := range map[string]float64{"0.1%": 0.001, "0.7%": 0.007, "100%": 1, "0.00001%": 1e-7} {
		if got := percentText(p); got != want {
			t.Errorf("percentText(%v) = %s, want %s", p, got, want)
		}
	}
	for want, r := range map[string]int64{"1Gbit": 1e9, "1.5Mbit": 15e5, "1.234kbit": 1234, "2500Gbit": 25e11} {
		if got := bitRateText(r); got != want {
			t.Errorf("bitRateText(%d) = %s, want %s", r, got, want)
		}
	}
}
