package main

import (
	"strings"
	"testing"
)

func TestPrint(t *testing.T) {
	const events = `
{"Action":"start","Package":"p"}
{"Action":"start","Package":"q"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"q","Test":"TestB","Output":"    b_test.go:1: broken\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: needs root\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:1: chatter\n"}
{"Action":"pass","Package":"p","Test":"TestC"}
{"Action":"output","Package":"q","Test":"TestB","Output":"--- FAIL: TestB (0.00s)\n"}
{"Action":"fail","Package":"q","Test":"TestB"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
{"Action":"output","Package":"q","Output":"FAIL\n"}
{"Action":"output","Package":"q","Output":"FAIL\tq\t0.1s\n"}
{"Action":"fail","Package":"q"}
{"Action":"output","Package":"n","Output":"?   \tn\t[no test files]\n"}
{"Action":"skip","Package":"n"}
{"ImportPath":"x","Action":"build-output","Output":"x.go:1: syntax error\n"}
{"ImportPath":"x","Action":"build-fail"}
go: not JSON
{"Action":"output","Package":"r","Test":"TestD","Output":"    d_test.go:1: last words\n"}
`
	const want = `    a_test.go:1: needs root
--- SKIP: TestA (0.00s)
ok  	p	0.1s
    b_test.go:1: broken
--- FAIL: TestB (0.00s)
FAIL
FAIL	q	0.1s
?   	n	[no test files]
x.go:1: syntax error
go: not JSON
--- TestD has not ended
    d_test.go:1: last words
`
	var got strings.Builder
	if err := print(&got, strings.NewReader(events[1:])); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got.String(), want)
	}
}
