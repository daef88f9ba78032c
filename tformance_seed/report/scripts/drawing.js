// Draws charts, those on the screen first; a chart is drawn again when its rows or the room for it change.
const ERRORS = 1; // Vega's level: its warnings are about charts of nothing

const charts = {}; // name -> {card, rows, view}: what it shows, and the view that draws it, once it is drawn

for (const name of Object.keys(data.charts)) {
  const card = document.getElementById(name);
  charts[name] = { card, drawing: card.querySelector(".drawing"), rows: [], view: null };
}

const fit = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const { view } = charts[target.closest("figure").id];
    const width = Math.floor(contentRect.width);
    if (width && view.width() !== width) view.width(width).runAsync();
  }
});

const draw = async (name) => {
  const chart = charts[name];
  const options = { config: data.config, renderer: "svg", actions: false, logLevel: ERRORS };
  const { view } = await vegaEmbed(chart.drawing, data.charts[name].spec, options);
  await view.data("rows", chart.rows).runAsync();
  chart.view = view;
  fit.observe(chart.drawing);
};

const isOnScreen = ({ drawing }) => {
  const { top, bottom } = drawing.getBoundingClientRect();
  return top < innerHeight && bottom > 0 && getComputedStyle(drawing).visibility === "visible";
};

// Draws what is on the screen, says so, and then all else, a chart at a time, so that the page answers in between.
const drawAll = async () => {
  const names = Object.keys(charts);
  const first = names.filter((name) => isOnScreen(charts[name]));
  for (const name of first) await draw(name);
  root.dataset.ready = "";
  for (const name of names.filter((name) => !first.includes(name))) {
    await new Promise((next) => setTimeout(next));
    await draw(name);
  }
  root.dataset.drawn = "";
};
