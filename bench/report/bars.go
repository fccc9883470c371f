package report

import (
	"bytes"
	"html/template"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A bar is a value and its spread, drawn from left to right in a row.
type bar struct {
	y                float64 // row, from below
	value, low, high float64
	floor, aim       float64 // marks; 0 is none
	color            color.Color
	label            string
}

// bars is a plot.Plotter.
type bars []bar

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	thin := draw.LineStyle{Color: ink, Width: 0.8}
	for _, r := range b {
		if r.label == "" {
			continue
		}
		top, bottom := y(r.y+0.36), y(r.y-0.36)
		c.FillPolygon(r.color, []vg.Point{{X: x(0), Y: bottom}, {X: x(0), Y: top}, {X: x(r.value), Y: top}, {X: x(r.value), Y: bottom}})
		end := r.value
		if r.low != r.high {
			c.StrokeLine2(thin, x(r.low), y(r.y), x(r.high), y(r.y))
			end = max(end, r.high)
		}
		for _, mark := range []struct{ at, half float64 }{{r.floor, 0.25}, {r.aim, 0.45}} {
			if mark.at != 0 {
				c.StrokeLine2(draw.LineStyle{Color: ink, Width: 1.6}, x(mark.at), y(r.y-mark.half), x(mark.at), y(r.y+mark.half))
				end = max(end, mark.at)
			}
		}
		c.FillText(textStyle(8.5), vg.Point{X: x(end) + 4, Y: y(r.y) - 3}, r.label)
	}
}

// most returns the greatest x.
func (b bars) most() float64 {
	var m float64
	for _, r := range b {
		m = max(m, r.value, r.high, r.floor, r.aim)
	}
	return m
}

// vertical is a plot.Plotter: a line from top to bottom.
type vertical float64

// Plot implements plot.Plotter.
func (v vertical) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8, Dashes: []vg.Length{3, 2}}, x(float64(v)), c.Min.Y, x(float64(v)), c.Max.Y)
}

func textStyle(size vg.Length) text.Style {
	return text.Style{Color: ink, Font: sans(size), Handler: plot.DefaultTextHandler}
}

// sans is the font by which widths are computed; Arial and Helvetica, which
// the page asks for, have the same.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans", Size: size}
}

// newPlot returns a plot whose X axis begins at 0.
func newPlot(xLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.Tick.LineStyle.Color = pale, pale
		a.Label.TextStyle.Color, a.Tick.Label.Color = ink, ink
		a.Label.TextStyle.Font, a.Tick.Label.Font = sans(10), sans(9.5)
	}
	p.X.Label.Text = xLabel
	p.X.Min = 0
	p.Legend.TextStyle.Font = sans(9.5)
	p.Legend.Padding = 4
	return p
}

// nameRows puts names on the Y axis, the first one on top.
func nameRows(p *plot.Plot, names []string, rows int) {
	var ticks plot.ConstantTicks
	for i, name := range names {
		if name != "" {
			ticks = append(ticks, plot.Tick{Value: float64(rows - 1 - i), Label: name})
		}
	}
	p.Y.Tick.Marker = ticks
	p.Y.Tick.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.Y.Min, p.Y.Max = -0.6, float64(rows)-0.4
}

const (
	plotWidth = 24 * vg.Centimeter
	rowHeight = 0.55 // in centimetres
)

// toSVG draws a plot as an element of a page. A height of 0 is what its rows
// need.
func toSVG(p *plot.Plot, height vg.Length) (template.HTML, error) {
	if height == 0 {
		height = vg.Length((p.Y.Max-p.Y.Min)*rowHeight+1.6) * vg.Centimeter
	}
	c := vgsvg.NewWith(vgsvg.UseWH(plotWidth, height))
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	_, element, _ := strings.Cut(b.String(), "<svg") // without the head of a file
	return template.HTML("<svg" + element), nil
}
