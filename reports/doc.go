// Package reports writes what a history knows of a span of time as one HTML
// file: what got slower, where the time goes, what grew, what bloats, what to
// do about it, and how far the numbers can be trusted.
//
// Gather reads the history into a Report, plain numbers in the words of the
// root package. Write lays a Report out. The file opens offline and asks no
// network for anything; it holds in print, in dark mode, on a phone and
// without JavaScript, where charts are inline SVG. What came from a database
// or a model is text in it and never markup, script or style: html/template
// escapes it, and a content security policy in the file admits only the
// script and the style that are compiled in, by their hashes.
//
// The package is the only importer of go-echarts. ECharts itself is put into
// assets/ by build.mjs; without it the same charts are drawn as SVG alone.
package reports
