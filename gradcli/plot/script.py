"""The script of a picture in HTML: zoom by wheel or fingers, pan by drag, a cross-hair that reads the curves.

It reads its data by JSON.parse, writes texts by textContent alone, and asks for nothing from outside.
"""

from __future__ import annotations

SCRIPT = r"""
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("gp-data").textContent);
  const svg = document.querySelector("svg.gp"), out = document.querySelector("output");
  const NS = "http://www.w3.org/2000/svg";
  const axes = svg.querySelectorAll("g.axes"), views = svg.querySelectorAll("g.view");
  const panels = data.panels.map((p, k) => ({...p, home: [...p.x, ...p.y], axes: axes[k], view: views[k]}));
  const marks = [...svg.querySelectorAll("circle.mark")].map((el) => {
    const px = +el.getAttribute("cx"), py = +el.getAttribute("cy");
    const p = panels.find((q) => py >= q.top - 1 && py <= q.top + q.height + 1) || panels[0];
    return {el, p, x: unx(p, px), y: uny(p, py)};
  });
  const labels = [...svg.querySelectorAll("text.math[class*=' f']")];
  const cross = [0, 1].map(() => {
    const line = document.createElementNS(NS, "path");
    line.setAttribute("class", "cross");
    svg.append(line);
    return line;
  });

  function px(p, x) { return p.left + (x - p.x[0]) / (p.x[1] - p.x[0]) * p.width; }
  function py(p, y) { return p.top + p.height - (y - p.y[0]) / (p.y[1] - p.y[0]) * p.height; }
  function unx(p, v) { return p.x[0] + (v - p.left) / p.width * (p.x[1] - p.x[0]); }
  function uny(p, v) { return p.y[0] + (p.top + p.height - v) / p.height * (p.y[1] - p.y[0]); }
  function real(v, log) { return log ? 10 ** v : v; }
  function digits(v, span) {
    if (v === null || !isFinite(v)) return "not drawn";
    const n = Math.max(5, Math.min(12, Math.ceil(Math.log10(Math.abs(v) / span || 1)) + 4));
    return String(+v.toPrecision(n)).replace("-", "\u2212");
  }

  // Ticks: multiples of 1, 2 or 5 times a power of ten; on a logarithmic axis of its logarithm, if wide enough.
  function ticks(low, high, most, log) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) || rough;
    if (log && step < 1) step = high - low > 1 ? 1 : step;
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && found.length < 200; k++) {
      const v = +(k * step).toPrecision(12);
      const shown = log ? +(10 ** v).toPrecision(step < 1 ? 4 : 1) : v;
      found.push([v, String(shown).replace("-", "\u2212").replace("e+", "e")]);
    }
    return found;
  }

  function add(parent, name, attributes, words) {
    const el = document.createElementNS(NS, name);
    for (const key in attributes) el.setAttribute(key, attributes[key]);
    if (words !== undefined) el.textContent = words;
    parent.append(el);
  }

  function redraw() {
    panels.forEach((p, k) => {
      const [x0, x1, y0, y1] = p.home, sx = (x1 - x0) / (p.x[1] - p.x[0]), sy = (y1 - y0) / (p.y[1] - p.y[0]);
      const tx = px(p, x0) - p.left * sx, ty = py(p, y1) - p.top * sy;
      p.view.setAttribute("transform", `matrix(${sx} 0 0 ${sy} ${tx} ${ty})`);
      const right = p.left + p.width, bottom = p.top + p.height;
      const names = p.axes.querySelectorAll("text:not(.num)");
      p.axes.replaceChildren();
      const across = ticks(p.x[0], p.x[1], p.width / 80, p.logx), up = ticks(p.y[0], p.y[1], p.height / 45, p.logy);
      const lines = across.map(([v]) => `M${px(p, v)},${p.top}V${bottom}`);
      for (const [v] of up) lines.push(`M${p.left},${py(p, v)}H${right}`);
      add(p.axes, "path", {class: "grid", d: lines.join("")});
      add(p.axes, "path", {class: "axis", fill: "none", d: `M${p.left},${p.top}V${bottom}H${right}`});
      const write = (x, y, anchor, words) => add(p.axes, "text", {class: "num", x, y, "text-anchor": anchor}, words);
      for (const [v, words] of up) write(p.left - 6, py(p, v) + 4, "end", words);
      if (k === panels.length - 1) for (const [v, words] of across) write(px(p, v), bottom + 16, "middle", words);
      p.axes.append(...names);
    });
    for (const m of marks) {
      const x = px(m.p, m.x), y = py(m.p, m.y), p = m.p;
      m.el.setAttribute("cx", x);
      m.el.setAttribute("cy", y);
      const inside = x > p.left - 1 && x < p.left + p.width + 1 && y > p.top - 1 && y < p.top + p.height + 1;
      m.el.style.display = inside ? "" : "none";
    }
    const home = panels.every((p) => p.home.every((v, i) => v === [...p.x, ...p.y][i]));
    for (const el of labels) el.style.display = home ? "" : "none";
  }

  function place(event) {
    const m = svg.getScreenCTM().inverse();
    return [event.clientX * m.a + m.e, event.clientY * m.d + m.f];
  }
  function panelAt(x, y) {
    return panels.find((p) => x >= p.left && x <= p.left + p.width && y >= p.top && y <= p.top + p.height);
  }
  // The panels have one range of abscissas.
  function setX(low, high) {
    const [a, b] = panels[0].home;
    if (high - low < (b - a) * 1e-6 || high - low > (b - a) * 20) return false;
    for (const p of panels) p.x = [low, high];
    return true;
  }
  function zoom(p, x, y, factor) {
    const cx = unx(p, x), cy = uny(p, y);
    if (setX(cx + (p.x[0] - cx) * factor, cx + (p.x[1] - cx) * factor))
      p.y = [cy + (p.y[0] - cy) * factor, cy + (p.y[1] - cy) * factor];
    redraw();
  }

  function read(curve, x, log) {
    const xs = curve.x;
    let low = 0, high = xs.length - 1;
    if (!(x >= xs[0] && x <= xs[high])) return null;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle;
    }
    const h = xs[high] - xs[low], t = h > 0 ? (x - xs[low]) / h : 0;
    const mix = (v) => (v[low] === null || v[high] === null ? null : v[low] + t * (v[high] - v[low]));
    const value = mix(curve.y), slope = mix(curve.d);
    if (log || value === null || slope === null) return [value, slope];
    // The cubic through both values with both slopes (Hermite).
    const a = curve.d[low] * h, b = curve.d[high] * h, rise = curve.y[high] - curve.y[low];
    const bend = (1 - t) * (a - rise) + t * (rise - b), turn = (1 - 2 * t) * bend + t * (1 - t) * (2 * rise - a - b);
    return [value + t * (1 - t) * bend, h > 0 ? (rise + turn) / h : slope];
  }
  function show(x, y) {
    const p = panelAt(x, y);
    if (!p) { hide(); return; }
    const first = panels[0], last = panels[panels.length - 1];
    cross[0].setAttribute("d", `M${x},${first.top}V${last.top + last.height}`);
    cross[1].setAttribute("d", `M${p.left},${y}H${p.left + p.width}`);
    const at = unx(p, x), span = p.x[1] - p.x[0];
    const lines = [`${p.name} = ${digits(real(at, p.logx), real(p.x[1], p.logx) - real(p.x[0], p.logx))}`];
    if (p.field) {
      const f = p.field, v = uny(p, y), rows = f.rows.length, columns = f.rows[0].length;
      const j = Math.round((v - f.y[0]) / (f.y[1] - f.y[0]) * (rows - 1));
      const i = Math.round((at - f.x[0]) / (f.x[1] - f.x[0]) * (columns - 1));
      const value = (f.rows[Math.min(Math.max(j, 0), rows - 1)] || [])[Math.min(Math.max(i, 0), columns - 1)];
      lines[0] += `   ${p.other} = ${digits(v, p.y[1] - p.y[0])}   value about ${digits(value, 1)}`;
    }
    for (const q of panels) for (const c of q.curves) {
      const found = read(c, at, q.logx || q.logy);
      if (!found) continue;
      const value = found[0] === null ? null : real(found[0], q.logy);
      const slope = value === null ? "" : `   slope ${digits(found[1], 1)}`;
      lines.push(`${c.name} = ${digits(value, 1)}${slope}`);
    }
    out.textContent = lines.join("\n");
  }
  function hide() {
    for (const line of cross) line.removeAttribute("d");
  }
  function back() {
    for (const p of panels) { p.x = p.home.slice(0, 2); p.y = p.home.slice(2); }
    redraw();
  }

  const fingers = new Map();
  svg.addEventListener("wheel", (event) => {
    const [x, y] = place(event), p = panelAt(x, y);
    if (!p) return;
    event.preventDefault();
    zoom(p, x, y, 2 ** (event.deltaY / 300));
    show(x, y);
  }, {passive: false});
  svg.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event);
    if (panelAt(x, y)) { fingers.set(event.pointerId, [x, y]); svg.setPointerCapture(event.pointerId); }
  });
  svg.addEventListener("pointermove", (event) => {
    const [x, y] = place(event), old = fingers.get(event.pointerId);
    if (!old) { show(x, y); return; }
    const p = panelAt(...old) || panels[0];
    if (fingers.size === 1) {
      const dx = unx(p, old[0]) - unx(p, x), dy = uny(p, old[1]) - uny(p, y);
      if (setX(p.x[0] + dx, p.x[1] + dx)) p.y = [p.y[0] + dy, p.y[1] + dy];
      redraw();
    } else {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(old[0] - other[0], old[1] - other[1]), now = Math.hypot(x - other[0], y - other[1]);
      if (now > 0) zoom(p, other[0], other[1], before / now);
    }
    fingers.set(event.pointerId, [x, y]);
  });
  for (const kind of ["pointerup", "pointercancel"])
    svg.addEventListener(kind, (event) => fingers.delete(event.pointerId));
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("dblclick", back);
  document.querySelector("button").addEventListener("click", back);
})();
"""
