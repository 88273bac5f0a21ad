// A hair line and the values under the pointer, on both time axes at once.
(function () {
  "use strict";
  var s = JSON.parse(document.getElementById("series").textContent);
  var figures = Array.prototype.slice.call(document.querySelectorAll("figure[data-time]"));
  if (!s.rows.length || !figures.length) return;

  function clock(t) {
    var h = Math.floor(t / 3600), m = Math.floor(t / 60) % 60, x = Math.round(t % 60);
    function two(n) { return (n < 10 ? "0" : "") + n; }
    return (h ? h + ":" + two(m) : m) + ":" + two(x);
  }
  function ms(v) {
    if (v === null) return "–";
    return v < 1000 ? +v.toPrecision(3) + " ms" : +(v / 1000).toPrecision(3) + " s";
  }
  var marks = figures.map(function (figure) {
    var hair = document.createElement("div"), tip = document.createElement("div");
    hair.className = "hair"; tip.className = "tip";
    hair.hidden = tip.hidden = true;
    var svg = figure.querySelector("svg");
    svg.parentNode.appendChild(hair); svg.parentNode.appendChild(tip);
    return { svg: svg, hair: hair, tip: tip };
  });
  function hide() { marks.forEach(function (m) { m.hair.hidden = m.tip.hidden = true; }); }
  function show(at, event) {
    var box = at.svg.getBoundingClientRect(), scale = box.width / s.width;
    var t = ((event.clientX - box.left) / scale - s.left) / (s.right - s.left) * s.end_s;
    var row = s.rows.find(function (r) { return t >= r[0] && t < r[1]; });
    if (!row) { hide(); return; }
    marks.forEach(function (m) {
      var x = (s.left + (row[0] + row[1]) / 2 / s.end_s * (s.right - s.left)) * scale;
      m.hair.hidden = false;
      m.hair.style.left = x + "px";
      m.hair.style.top = s.top * scale + "px";
      m.hair.style.height = (s.bottom - s.top) * scale + "px";
      m.tip.hidden = m !== at;
    });
    at.tip.textContent = clock(row[0]) + " to " + clock(row[1]) + ": " + +row[2].toPrecision(3) +
      " tx/s, p50 " + ms(row[4]) + ", p99 " + ms(row[5]) + (row[3] ? ", " + row[3] + " failed" : "");
    var left = parseFloat(at.hair.style.left) + 10;
    if (left + at.tip.offsetWidth > box.width) left -= at.tip.offsetWidth + 20;
    at.tip.style.left = Math.max(0, left) + "px";
    at.tip.style.top = (s.top + 6) * scale + "px";
  }
  marks.forEach(function (m) {
    m.svg.addEventListener("pointermove", function (e) { show(m, e); });
    m.svg.addEventListener("pointerleave", hide);
  });
})();
