(function () {
'use strict';
var root = document.documentElement;
root.classList.add('js');

/* Copy buttons, made here so that there is none without a script. */
document.querySelectorAll('pre[data-copy]').forEach(function (pre) {
  var button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', function () {
    copy(pre).then(function (ok) {
      button.textContent = ok ? 'Copied' : 'Selected: press Ctrl+C';
      setTimeout(function () { button.textContent = 'Copy'; }, 2500);
    });
  });
  pre.parentNode.insertBefore(button, pre);
});

function copy(node) {
  var range = document.createRange();
  range.selectNodeContents(node);
  var selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  if (navigator.clipboard && navigator.clipboard.writeText) {
    return navigator.clipboard.writeText(node.textContent).then(function () { return true; }, fallback);
  }
  return Promise.resolve(fallback());
}

function fallback() {
  try { return document.execCommand('copy'); } catch (e) { return false; }
}

/* Blocks that were opened for print close again after it. */
var opened = [];
addEventListener('beforeprint', function () {
  opened = Array.prototype.slice.call(document.querySelectorAll('details:not([open])'));
  opened.forEach(function (d) { d.open = true; });
});
addEventListener('afterprint', function () {
  opened.forEach(function (d) { d.open = false; });
});

/* A link to something inside a closed block opens it. */
function reveal() {
  var target = location.hash && document.getElementById(location.hash.slice(1));
  for (var d = target; d; d = d.parentElement) {
    if (d.tagName === 'DETAILS') { d.open = true; }
  }
}
addEventListener('hashchange', reveal);
reveal();

/* The navigation shows which section is being read. */
var links = {};
document.querySelectorAll('nav a[href^="#"]').forEach(function (a) { links[a.getAttribute('href').slice(1)] = a; });
if ('IntersectionObserver' in window) {
  var watch = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting || !links[entry.target.id]) { return; }
      Object.keys(links).forEach(function (id) { links[id].removeAttribute('aria-current'); });
      links[entry.target.id].setAttribute('aria-current', 'true');
    });
  }, { rootMargin: '-20% 0px -70% 0px' });
  document.querySelectorAll('main > section[id]').forEach(function (s) { watch.observe(s); });
}

/* Charts: ECharts draws over the SVG, which stays for print. */
if (!window.echarts || !('IntersectionObserver' in window)) { return; }

function filled(value, css) {
  if (typeof value === 'string') {
    return value.replace(/^var\((--[a-z]+)\)$/, function (_, name) { return css.getPropertyValue(name).trim(); });
  }
  if (Array.isArray(value)) { return value.map(function (v) { return filled(v, css); }); }
  if (value && typeof value === 'object') {
    var copy = {};
    Object.keys(value).forEach(function (k) { copy[k] = filled(value[k], css); });
    return copy;
  }
  return value;
}

function rounded(v) {
  if (v === 0) { return '0'; }
  if (Math.abs(v) >= 100) { return Math.round(v).toLocaleString('en'); }
  return String(Number(v.toPrecision(3)));
}

function written(v, unit) {
  if (v === null || v === undefined) { return 'no calls'; }
  if (unit !== 'ms') { return rounded(v) + ' ' + unit; }
  if (v >= 120000) { return rounded(v / 60000) + ' min'; }
  if (v >= 1000) { return rounded(v / 1000) + ' s'; }
  return rounded(v) + ' ms';
}

function counted(v) {
  if (v >= 1e6) { return rounded(v / 1e6) + ' M'; }
  return rounded(v);
}

/* Times of the axis: as much as its span needs. */
function clock(span) {
  return function (v) {
    var at = new Date(v).toUTCString(), day = at.slice(0, 3) + ' ' + Number(at.slice(5, 7)) + at.slice(7, 11), time = at.slice(17, 22);
    if (span < 7200e3) { return at.slice(17, 25); }
    if (span >= 10 * 86400e3) { return day.slice(4); }
    return time === '00:00' && span > 36 * 3600e3 ? day : time;
  };
}

function dress(option, unit, css) {
  var ink = css.getPropertyValue('--ink').trim(), mute = css.getPropertyValue('--mute').trim();
  var rule = css.getPropertyValue('--rule').trim(), panel = css.getPropertyValue('--panel').trim();
  option.textStyle = { fontFamily: css.fontFamily, color: mute };
  option.tooltip.renderMode = 'richText'; /* no HTML is made of data */
  option.tooltip.backgroundColor = panel;
  option.tooltip.borderColor = rule;
  option.tooltip.textStyle = { color: ink, fontSize: 12 };
  option.tooltip.axisPointer = { lineStyle: { color: mute } };
  option.tooltip.formatter = function (points) {
    var p = points[0], at = new Date(p.value[0]);
    return at.toISOString().slice(0, 19).replace('T', ' ') + ' UTC\n' + written(p.value[1], unit);
  };
  option.xAxis.forEach(function (axis) {
    axis.axisLine = { lineStyle: { color: rule } };
    axis.axisTick = { lineStyle: { color: rule } };
    axis.splitLine = { show: false };
    axis.axisLabel = { color: mute, fontSize: 11, hideOverlap: true, formatter: clock(axis.max - axis.min) };
  });
  option.yAxis.forEach(function (axis) {
    axis.splitLine = { lineStyle: { color: rule } };
    axis.interval = axis.max / 2;
    axis.axisLabel = { color: mute, fontSize: 11, formatter: function (v) { return unit === 'ms' ? written(v, unit) : counted(v); } };
  });
  return option;
}

var drawn = [];
function draw(figure) {
  var source = figure.querySelector('script[type="application/json"]');
  var box = document.createElement('div');
  box.className = 'live';
  box.setAttribute('aria-hidden', 'true');
  figure.insertBefore(box, source);
  figure.classList.add('drawn');
  var chart = echarts.init(box);
  var d = {
    paint: function () {
      var option = filled(JSON.parse(source.textContent), getComputedStyle(root));
      chart.setOption(dress(option, figure.getAttribute('data-unit'), getComputedStyle(document.body)), true);
    },
    resize: function () { chart.resize(); }
  };
  d.paint();
  drawn.push(d);
}

var near = new IntersectionObserver(function (entries) {
  entries.forEach(function (entry) {
    if (!entry.isIntersecting) { return; }
    near.unobserve(entry.target);
    draw(entry.target);
  });
}, { rootMargin: '300px' });
document.querySelectorAll('figure.chart').forEach(function (f) { near.observe(f); });

addEventListener('resize', function () { drawn.forEach(function (d) { d.resize(); }); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () { drawn.forEach(function (d) { d.paint(); }); });
})();
