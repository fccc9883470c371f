package report

import (
	_ "embed" // the template
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/bench/record"
)

//go:embed page.html.tmpl
var pageTemplate string

// page is what the template is filled with.
type page struct {
	*record.File
	Conditions string
	Date       string
	Rows       []row
	Figures    []figure
	Versions   []string
	Offloads   []string
	Details    []detail
}

type row struct {
	record.Row
	Value, Spread, Floor, Aim string
	Peer                      string
}

// A figure is a plot and what it shows.
type figure struct {
	Title, Caption string
	SVG            template.HTML
}

// detail is the peers of a case.
type detail struct {
	*record.Case
	Where string
	Peers []peerDetail
}

type peerDetail struct {
	*record.Peer
	Command, Result string
}

// WritePage writes a page that needs nothing else: its plots are SVG.
func WritePage(w io.Writer, f *record.File) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return err
	}
	p := page{File: f, Conditions: Conditions(f), Date: f.Started.Format("2 January 2006, 15:04 MST")}
	for _, r := range f.Rows() {
		p.Rows = append(p.Rows, row{r, value(r), spread(r), bound(r, r.Floor), bound(r, r.Aim), strings.TrimSpace(r.Best + " " + r.BestValue)})
	}
	if p.Figures, err = figures(f); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Machine.Versions)) {
		p.Versions = append(p.Versions, name+": "+f.Machine.Versions[name])
	}
	for _, name := range slices.Sorted(maps.Keys(f.Machine.Offloads)) {
		p.Offloads = append(p.Offloads, name+" "+map[bool]string{true: "on", false: "off"}[f.Machine.Offloads[name]])
	}
	for _, c := range f.Cases {
		d := detail{Case: c, Where: Where(c)}
		for _, peer := range c.Peers {
			d.Peers = append(d.Peers, peerDetail{peer, strings.Join(peer.Command, " "), strings.ReplaceAll(describe(c, peer), "\t", "; ")})
		}
		p.Details = append(p.Details, d)
	}
	return t.Execute(w, p)
}
