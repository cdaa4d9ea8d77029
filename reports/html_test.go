package reports

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// render writes a report and parses what a browser would see.
func render(t *testing.T, r *Report, echarts string) *html.Node {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, r, echarts); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// find returns the elements that a selector of descendants matches, in order:
// "section#slower article.card h3", each part of a tag, #id and .classes.
func find(n *html.Node, selector string) []*html.Node {
	found := []*html.Node{n}
	for part := range strings.FieldsSeq(selector) {
		var next []*html.Node
		for _, f := range found {
			for d := range f.Descendants() {
				if matches(d, part) && !slices.Contains(next, d) {
					next = append(next, d)
				}
			}
		}
		found = next
	}
	return found
}

func matches(n *html.Node, part string) bool {
	if n.Type != html.ElementNode {
		return false
	}
	for _, class := range strings.Split(part, ".")[1:] {
		if !slices.Contains(strings.Fields(attribute(n, "class")), class) {
			return false
		}
	}
	tag, id, _ := strings.Cut(strings.Split(part, ".")[0], "#")
	return (tag == "" || n.Data == tag) && (id == "" || attribute(n, "id") == id)
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is what an element says, its spaces closed, scripts and styles left out.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		silent := d.Parent != nil && (d.Parent.Data == "script" || d.Parent.Data == "style" || d.Parent.Data == "title")
		if d.Type == html.TextNode && !silent {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// texts are the texts of all elements that a selector matches.
func texts(n *html.Node, selector string) []string {
	var list []string
	for _, f := range find(n, selector) {
		list = append(list, text(f))
	}
	return list
}

// outline is the page as lines of text, one for each block.
func outline(n *html.Node) string {
	blocks := []string{"h1", "h2", "h3", "h4", "p", "li", "tr", "caption", "dt", "dd", "figcaption", "pre", "summary"}
	var lines []string
	for d := range n.Descendants() {
		if d.Type != html.ElementNode || !slices.Contains(blocks, d.Data) {
			continue
		}
		if d.Data == "li" && len(find(d, "li"))+len(find(d, "p"))+len(find(d, "pre")) > 0 {
			continue
		}
		if line := rowText(d); line != "" {
			lines = append(lines, d.Data+": "+line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// rowText keeps the cells of a table row apart.
func rowText(n *html.Node) string {
	if n.Data != "tr" {
		return text(n)
	}
	var cells []string
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode {
			cells = append(cells, text(c))
		}
	}
	return strings.Join(cells, " | ")
}
