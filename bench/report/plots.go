package report

import (
	"fmt"
	"html/template"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/seed-54eb6215/xftp/bench/record"
)

// colors of the peers, which can be told apart also by who sees no red or
// green (Okabe and Ito). xftp has the strongest.
var colors = map[string]color.RGBA{
	"xftp":              {0xd5, 0x5e, 0x00, 0xff},
	"xftp --net kernel": {0x00, 0x72, 0xb2, 0xff},
	"kernel sockets":    {0x00, 0x72, 0xb2, 0xff},
	"curl":              {0x00, 0x9e, 0x73, 0xff},
	"lftp":              {0xcc, 0x79, 0xa7, 0xff},
	"aria2c":            {0x56, 0xb4, 0xe9, 0xff},
	"wget":              {0xe6, 0x9f, 0x00, 0xff},
}

func colorOf(peer string) color.RGBA {
	if c, ok := colors[peer]; ok {
		return c
	}
	return color.RGBA{0x88, 0x88, 0x88, 0xff}
}

var (
	ink  = color.Gray{0x33}
	pale = color.Gray{0xdd}
)

// figures draws what there is to draw.
func figures(f *record.File) ([]figure, error) {
	var all []figure
	var err error
	add := func(title, caption string, p *plot.Plot, height vg.Length) {
		if p == nil || err != nil {
			return
		}
		var svg template.HTML
		svg, err = toSVG(p, height)
		all = append(all, figure{title, caption, svg})
	}
	add("Ratio to the best peer", "The bar is the median of the best peer divided by that of xftp: right of the line at 1 "+
		"xftp is ahead. The thin line goes from the least to the greatest ratio within one round; the marks are floor (short) and aim (long). Grey misses its floor.",
		ratios(f), 0)
	large, small := transfers(f)
	add("Rate", "Median; the thin line goes from the slowest to the fastest run.",
		groups(large, "Gb/s", func(r record.Run) float64 { return r.Rate() / 1e9 }), 0)
	for _, c := range small {
		add(c.Name+": "+c.Title, "Files per second.",
			groups([]*record.Case{c}, "files/s", func(r record.Run) float64 { return float64(c.Files) / r.Seconds }), 0)
	}
	add("CPU of the whole machine", "Seconds per GB, for both ends and the link between them; less is better. On a veth pair "+
		"the kernel's work for one side is charged to the other, so that only the whole is fair.",
		groups(heavy(large), "s/GB", record.MachineCPUPerGB), 0)
	for _, c := range f.Cases {
		add("One transfer over time: "+c.Name, c.Title+". Rate as the interface counted the bytes.", timeSeries(c), 9*vg.Centimeter)
	}
	return all, err
}

// transfers returns the cases that move bytes, those of large files and those
// of many small ones.
func transfers(f *record.File) (large, small []*record.Case) {
	for _, c := range f.Cases {
		switch {
		case c.Unit != record.Transfer || c.Xftp() == nil:
		case c.Files > 100:
			small = append(small, c)
		default:
			large = append(large, c)
		}
	}
	return large, small
}

// heavy leaves out cases of so few bytes that their share of CPU says nothing
// about a GB.
func heavy(cases []*record.Case) []*record.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c *record.Case) bool { return c.Bytes < 5e7 })
}

// ratios draws a row for each ratio of the table.
func ratios(f *record.File) *plot.Plot {
	var rows []record.Row
	for _, r := range f.Rows() {
		if r.Unit == "" && r.Verdict != record.Unmeasured {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	names, all := make([]string, len(rows)), make(bars, len(rows))
	for i, r := range rows {
		names[i] = r.Name
		color := colorOf("xftp")
		if r.Verdict == record.Below {
			color = colorOf("")
		}
		all[i] = bar{
			y: float64(len(rows) - 1 - i), value: r.Value, low: r.Low, high: r.Top, color: color,
			floor: r.Floor, aim: r.Aim, label: fmt.Sprintf("%.2f  %s", r.Value, r.Best),
		}
	}
	p := newPlot("ratio; above 1 xftp is ahead")
	nameRows(p, names, len(rows))
	p.Add(vertical(1), all)
	p.X.Max = all.most() * 1.25
	return p
}

// groups draws the peers of each case below one another.
func groups(cases []*record.Case, unit string, value func(record.Run) float64) *plot.Plot {
	var names []string
	var all bars
	for _, c := range cases {
		for _, peer := range c.Peers {
			v := peer.Values(value)
			if len(v) == 0 {
				continue
			}
			name := ""
			if peer == c.Peers[0] {
				name = c.Name
			}
			names = append(names, name)
			all = append(all, bar{
				value: record.Median(v), low: slices.Min(v), high: slices.Max(v), color: colorOf(peer.Name),
				label: fmt.Sprintf("%s %.4g", peer.Name, record.Median(v)),
			})
		}
		names = append(names, "") // between two cases
		all = append(all, bar{})
	}
	if len(all) == 0 {
		return nil
	}
	for i := range all {
		all[i].y = float64(len(all) - 1 - i)
	}
	p := newPlot(unit)
	nameRows(p, names, len(names))
	p.Add(all)
	p.X.Max = all.most() * 1.25
	return p
}

// timeSeries draws the rate of each peer's transfer, nil if there is none.
func timeSeries(c *record.Case) *plot.Plot {
	if len(c.Series) == 0 {
		return nil
	}
	var longest float64
	for _, s := range c.Series {
		longest = max(longest, s.Points[len(s.Points)-1].Seconds)
	}
	step := max(0.02, longest/80) // seconds
	p := newPlot("seconds")
	p.Y.Label.Text = "Gb/s"
	p.Y.Min = 0
	for _, s := range c.Series {
		var points plotter.XYs
		last := record.Sample{}
		for _, sample := range s.Points {
			if d := sample.Seconds - last.Seconds; d >= step {
				points = append(points, plotter.XY{X: sample.Seconds - d/2, Y: float64(sample.Bytes-last.Bytes) * 8 / 1e9 / d})
				last = sample
			}
		}
		if len(points) == 0 {
			continue
		}
		l, err := plotter.NewLine(points)
		if err != nil {
			continue // points that are no numbers: nothing to draw
		}
		l.Color, l.Width = colorOf(s.Peer), 1.6
		p.Add(l)
		p.Legend.Add(s.Peer, l)
	}
	// On the right, with the text right of the line: its width is a guess.
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs = true, true, plotWidth-6*vg.Centimeter
	return p
}
