#include "trainer/report/page_style.h"

namespace facegate::report {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1c1a; --soft: #63635c; --rule: #d9d8d0; --grid: #eceae3;
  --card: #f6f5f0;
  --c0: #1465a8; --c1: #c8471b; --c2: #14805a; --c3: #8a4a9e; --c4: #9a6c00; --c5: #5b6470;
  --right: #14703f; --wrong: #b3261e;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --ink: #e9e7e1; --soft: #a3a39b; --rule: #383b40; --grid: #26292d;
    --card: #1e2125;
    --c0: #74b7f7; --c1: #ff9a70; --c2: #62cfa5; --c3: #cfa3e6; --c4: #e3bd58; --c5: #aab3bf;
    --right: #6fd39b; --wrong: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 var(--serif); }
main { max-width: 1120px; margin: 0 auto; padding: 56px 32px 72px; }
h1 { font-size: 34px; line-height: 1.15; font-weight: 600; letter-spacing: -0.01em; margin: 0 0 10px;
  overflow-wrap: anywhere; }
h2 { font-size: 23px; font-weight: 600; margin: 56px 0 16px; padding-top: 14px;
  border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
h3 { font: 600 14px/1.3 var(--sans); margin: 0; overflow-wrap: anywhere; }
h4 { font: 600 14px/1.3 var(--sans); margin: 36px 0 10px; }
p { max-width: 44em; margin: 0 0 12px; }
.lead { font-size: 19px; color: var(--soft); }
h1 + section h2, .lead + section h2 { margin-top: 32px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); gap: 12px;
  margin: 20px 0 28px; }
.tile { background: var(--card); border-radius: 6px; padding: 14px 16px 12px; }
.tile b { display: block; font: 600 25px/1.25 var(--sans); font-variant-numeric: tabular-nums;
  letter-spacing: -0.01em; white-space: nowrap; }
.tile small { display: block; font: 13px/1.4 var(--sans); font-variant-numeric: tabular-nums; }
.tile span { display: block; font: 13px/1.35 var(--sans); color: var(--soft); margin-top: 4px; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 34px 36px;
  margin: 20px 0; }
figure { margin: 0; min-width: 0; }
.chart { position: relative; }
.head { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline;
  justify-content: space-between; margin-bottom: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; }
.key { font: 13px/1.5 var(--sans); color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; display: inline-flex; align-items: center; gap: 6px; text-align: left;
  overflow-wrap: anywhere; }
.key[aria-pressed=false] { opacity: 0.4; text-decoration: line-through; }
.key:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; border-radius: 2px; }
.swatch { width: 16px; height: 0; border-top: 3px solid; border-radius: 2px; flex: none; }
.swatch.dashed { border-top-style: dashed; border-radius: 0; }
svg { display: block; width: 100%; height: auto; font-family: var(--sans); }
svg text { fill: var(--soft); font-variant-numeric: tabular-nums; }
.tick { font-size: 12px; }
.name, .word { font-size: 12px; }
.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg text.word { fill: var(--ink); }
.grid { stroke: var(--grid); }
.axis { stroke: var(--soft); }
.rule { stroke: var(--soft); stroke-dasharray: 3 4; }
.line, .faint { fill: none; stroke: currentColor; stroke-linejoin: round; stroke-linecap: round; }
.line { stroke-width: 2; }
.line.dashed { stroke-dasharray: 6 4; stroke-linecap: butt; }
.faint { stroke-width: 1; opacity: 0.28; }
.area { fill: currentColor; fill-opacity: 0.26; stroke: currentColor; stroke-width: 1.4; }
.whisker { stroke: currentColor; stroke-width: 1.6; }
.dot { fill: currentColor; stroke: var(--paper); stroke-width: 1.2; }
.off { display: none; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
figcaption { font: 13px/1.45 var(--sans); color: var(--soft); margin-top: 6px; max-width: 46em; }
.tip { position: absolute; z-index: 1; pointer-events: none; background: var(--paper);
  border: 1px solid var(--rule); border-radius: 5px; box-shadow: 0 3px 14px rgb(0 0 0 / 0.14);
  padding: 6px 10px; font: 12px/1.5 var(--sans); font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.tip i { margin-right: 6px; display: inline-block; vertical-align: middle; }
.table { overflow-x: auto; margin: 12px 0 20px; }
table { border-collapse: collapse; font: 14px/1.4 var(--sans); font-variant-numeric: tabular-nums;
  width: 100%; }
th, td { text-align: right; padding: 7px 0 7px 22px; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 500; color: var(--soft); border-bottom: 1px solid var(--soft);
  vertical-align: bottom; }
tbody td { border-bottom: 1px solid var(--grid); }
td small { color: var(--soft); font-size: inherit; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(212px, 1fr));
  gap: 22px 20px; }
.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pair img, .none { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px;
  background: var(--card); display: block; }
.none { display: grid; place-items: center; font: 12px/1.3 var(--sans); color: var(--soft); }
.pair figcaption { font-size: 12px; line-height: 1.4; overflow-wrap: anywhere; }
.pair i { font-style: normal; font-weight: 600; }
.right { color: var(--right); } .wrong { color: var(--wrong); }
.pair figcaption b { display: block; font-size: 14px; color: var(--ink); font-variant-numeric: tabular-nums; }
ul { margin: 0; padding-left: 1.2em; max-width: 44em; }
li { margin-bottom: 6px; overflow-wrap: anywhere; }
pre { font: 13px/1.55 var(--mono); background: var(--card); border-radius: 6px; padding: 16px 18px;
  margin: 12px 0; overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 24px;
  font: 14px/1.5 var(--sans); margin: 12px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 56px; padding-top: 14px; border-top: 1px solid var(--rule);
  font: 13px/1.5 var(--sans); color: var(--soft); }
@media (max-width: 760px) {
  body { font-size: 16px; }
  main { padding: 28px 16px 48px; }
  h1 { font-size: 27px; }
  .lead { font-size: 17px; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  .tick, .name, .word { font-size: 14px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: 12px 12px 10px; }
  .tile b { font-size: 21px; }
  .pairs { grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 18px 14px; }
  th, td { padding-left: 14px; vertical-align: top; }
  td small { display: block; }
  .stack thead { display: none; }
  .stack table, .stack tbody, .stack tr { display: block; }
  .stack tr { border-bottom: 1px solid var(--grid); padding: 10px 0; }
  .stack td { display: flex; justify-content: space-between; gap: 16px; border: 0;
    padding: 2px 0; white-space: normal; }
  .stack td:first-child { font-weight: 600; }
  .stack td::before { content: attr(data-name); color: var(--soft); }
  .stack td:first-child::before { content: none; }
  .stack td small { display: inline; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
}
@media print {
  :root {
    --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --grid: #e5e5e5; --card: #f4f4f4;
    --c0: #1465a8; --c1: #c8471b; --c2: #14805a; --c3: #8a4a9e; --c4: #9a6c00; --c5: #5b6470;
    --right: #14703f; --wrong: #b3261e;
  }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  figure, .tile, tr { break-inside: avoid; }
  h2, h4 { break-after: avoid; }
  pre { white-space: pre-wrap; }
}
)css";

constexpr std::string_view kScript = R"js(
'use strict';
document.querySelectorAll('figure.chart').forEach((figure) => {
  const svg = figure.querySelector('svg');
  const edge = svg.dataset;
  const lines = [...svg.querySelectorAll('[data-x]')].map((shape) => ({
    shape, name: shape.dataset.name,
    colour: [...shape.classList].find((name) => /^c\d$/.test(name)),
    at: (shape.getAttribute('points') || shape.dataset.at).split(' ')
      .map((pair) => pair.split(',').map(Number)),
    x: shape.dataset.x.split(' '), y: shape.dataset.y.split(' '),
  }));
  const text = (value, style) => {
    const number = Number(value) * (style === 'percent' ? 100 : 1);
    const short = Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(4)));
    return short.replace('-', '−') + (style === 'percent' ? ' %' : '');
  };
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  figure.append(tip);
  const make = (name, attributes) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
    return node;
  };
  let drawn = [];
  const clear = () => {
    drawn.forEach((node) => node.remove());
    drawn = [];
    tip.hidden = true;
  };
  const show = (event) => {
    clear();
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale;
    if (x < edge.left - 6 || x > Number(edge.right) + 6) return;
    const near = lines.filter((line) => !line.shape.classList.contains('off')).map((line) => {
      let best = 0;
      line.at.forEach((place, i) => {
        if (Math.abs(place[0] - x) < Math.abs(line.at[best][0] - x)) best = i;
      });
      return {line, i: best, place: line.at[best]};
    });
    if (near.length === 0) return;
    const first = near.reduce((a, b) =>
      Math.abs(b.place[0] - x) < Math.abs(a.place[0] - x) ? b : a);
    const shown = near.filter((one) => Math.abs(one.place[0] - first.place[0]) < 12);
    const column = first.place[0];
    drawn.push(make('line', {class: 'rule', x1: column, x2: column, y1: edge.top, y2: edge.bottom}));
    tip.replaceChildren(`${edge.xn} ${text(first.line.x[first.i], edge.xs)}`);
    shown.forEach((one) => {
      if (one.place[1] >= edge.top - 1 && one.place[1] <= Number(edge.bottom) + 1) {
        drawn.push(make('circle',
          {class: `dot ${one.line.colour}`, cx: one.place[0], cy: one.place[1], r: 4}));
      }
      const row = document.createElement('div');
      const swatch = document.createElement('i');
      swatch.className = `swatch ${one.line.colour}`;
      row.append(swatch, `${one.line.name} ${text(one.line.y[one.i], edge.ys)}`);
      tip.append(row);
    });
    svg.append(...drawn);
    tip.hidden = false;
    const left = column / scale;
    const flip = left > box.width / 2;
    tip.style.left = `${flip ? left - tip.offsetWidth - 12 : left + 12}px`;
    tip.style.top = `${svg.offsetTop || box.top - figure.getBoundingClientRect().top + 14}px`;
  };
  svg.addEventListener('pointermove', show);
  svg.addEventListener('pointerdown', show);
  svg.addEventListener('pointerleave', clear);
  figure.querySelectorAll('.key').forEach((key) => key.addEventListener('click', () => {
    const on = key.getAttribute('aria-pressed') !== 'true';
    key.setAttribute('aria-pressed', String(on));
    svg.querySelectorAll('[data-name]').forEach((shape) => {
      if (shape.dataset.name === key.dataset.name) shape.classList.toggle('off', !on);
    });
    clear();
  }));
});
)js";

}  // namespace

std::string_view PageStyle() { return kStyle; }
std::string_view PageScript() { return kScript; }

}  // namespace facegate::report
