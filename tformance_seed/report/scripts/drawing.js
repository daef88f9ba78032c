// Fills the charts' cards, those on the screen first.
const ERRORS = 1; // Vega's level: its warnings are about charts of nothing

const charts = {}; // name -> its card, the rows that it shows, and the view that draws them
for (const name of Object.keys(data.charts)) {
  const card = document.getElementById(name);
  charts[name] = { card, drawing: card.querySelector(".drawing"), rows: [], view: null, stale: true };
}

const fit = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const { view } = charts[target.closest("figure").id];
    const width = Math.floor(contentRect.width);
    if (width && view.width() !== width) view.width(width).runAsync();
  }
});

// Finds a chart's rows, and makes its table of them.
const fill = (name, choice, span) => {
  const [chart, described] = [charts[name], data.charts[name]];
  if (!chart.stale) return;
  chart.rows = pivot(described, choice, span);
  chart.card.classList.toggle("empty", chart.rows.length === 0);
  const nothing = chart.card.querySelector(".nothing");
  nothing.hidden = chart.rows.length > 0;
  if (!nothing.hidden) nothing.textContent = whyEmpty(described, choice);
  const box = chart.card.querySelector(".scroll");
  box.replaceChildren(table(described.table.columns, chart.rows));
  fitTable(box);
  chart.stale = false;
};

const draw = async (name) => {
  const chart = charts[name];
  if (!chart.view) {
    const options = { config: data.config, renderer: "svg", actions: false, logLevel: ERRORS };
    ({ view: chart.view } = await vegaEmbed(chart.drawing, data.charts[name].spec, options));
    fit.observe(chart.drawing);
  }
  await chart.view.data("rows", chart.rows).resize().runAsync(); // labels may need more room
};

const isOnScreen = ({ card }) => {
  const { top, bottom } = card.getBoundingClientRect();
  return top < innerHeight && bottom > 0 && getComputedStyle(card).visibility === "visible";
};

// Fills and draws all charts: those on the screen at once, and when that is done the page is ready; then the others, one at
// a time, so that the page answers in between. Another choice ends it.
let turn = 0;
const drawAll = async (choice, span) => {
  const mine = ++turn;
  delete root.dataset.drawn;
  const names = Object.keys(charts);
  for (const name of names) charts[name].stale = true;
  const first = names.filter((name) => isOnScreen(charts[name]));
  for (const name of first) fill(name, choice, span);
  for (const name of first) if (mine === turn) await draw(name);
  root.dataset.ready = "";
  for (const name of names.filter((name) => !first.includes(name))) {
    await new Promise((next) => setTimeout(next));
    if (mine !== turn) return;
    fill(name, choice, span);
    await draw(name);
  }
  if (mine === turn) root.dataset.drawn = "";
};
