// Shows the organisation and period that the reader chooses. It knows no chart: what a chart shows is in the page's data.
const ERRORS = 1; // Vega's level: its warnings are about charts of nothing

const show = (figure, text, small) => {
  document.querySelector(`[data-figure="${figure}"]`).replaceChildren(text, element("small", { textContent: small }));
};

const headline = ({ count, merged, withAi, cycle, review, usage: days }, choice) => {
  const all = choice.organisation < 0;
  const shown = all ? data.organisations : [data.organisations[choice.organisation]];
  const members = shown.reduce((sum, [, each]) => sum + each, 0);
  const many = `in ${whole.format(shown.length)} organisation${shown.length === 1 ? "" : "s"}`;
  show("members", whole.format(members), all ? many : `of ${shown[0][0]}`);
  show("pull-requests", whole.format(count), `${whole.format(merged)} merged`);
  show("with-ai", count ? percent.format(withAi / count) : UNKNOWN, `${whole.format(withAi)} pull requests`);
  for (const [name, times] of [["cycle-time", cycle], ["first-review", review]]) {
    if (times.count) show(name, `≈ ${hours(times.median)}`, `mean ${hours(times.mean)}`);
    else show(name, UNKNOWN, "none in this period");
  }
  show("usage", whole.format(days), "member-days");
};

const views = {};
const update = () => {
  const choice = {
    organisation: Number(organisation.value),
    from: Number(from.value),
    to: Number(to.value),
  };
  const { total, span } = totals(choice);
  headline(total, choice);
  for (const [name, chart] of Object.entries(data.charts)) {
    const rows = pivot(chart, choice, span);
    const card = document.getElementById(name);
    card.classList.toggle("empty", rows.length === 0);
    card.querySelector(".nothing").hidden = rows.length > 0;
    card.querySelector(".scroll").replaceChildren(table(chart.table.columns, rows));
    views[name]?.data("rows", rows).resize().runAsync();
  }
  const period = data.mondays.length ? `, ${from.selectedOptions[0].text} to ${to.selectedOptions[0].text}` : "";
  document.getElementById("shown").textContent = `Shown: ${organisation.selectedOptions[0].text}${period}`;
};

const [organisation, from, to, theme] = ["organisation", "from", "to", "theme"].map((id) => document.getElementById(id));
const option = (value, text) => element("option", { value, text });
organisation.append(
  option(-1, `All organisations (${data.organisations.length})`),
  ...data.organisations.map(([slug], index) => option(index, slug)),
);
from.append(...data.mondays.map((monday, index) => option(WEEK * index, day(monday))));
to.append(...data.mondays.map((monday, index) => option(WEEK * index + 6, day(monday, 6))));
to.value = WEEK * data.mondays.length - 1;
organisation.addEventListener("change", update);
for (const [changed, other, late] of [[from, to, Math.max], [to, from, Math.min]]) {
  changed.addEventListener("change", () => {
    other.selectedIndex = late(other.selectedIndex, changed.selectedIndex);
    update();
  });
}

const root = document.documentElement;
const paint = (name) => {
  root.dataset.theme = name;
  theme.setAttribute("aria-checked", String(name === "dark"));
};
const system = matchMedia("(prefers-color-scheme: dark)");
system.addEventListener("change", () => paint(system.matches ? "dark" : "light"));
theme.addEventListener("click", () => paint(root.dataset.theme === "dark" ? "light" : "dark"));
paint(root.dataset.theme);

update();
Promise.all(
  Object.entries(data.charts).map(async ([name, { spec }]) => {
    const target = document.querySelector(`#${name} .drawing`);
    const options = { config: data.config, renderer: "svg", actions: false, logLevel: ERRORS };
    const { view } = await vegaEmbed(target, spec, options);
    views[name] = view;
  }),
).then(() => {
  update();
  root.dataset.ready = "";
});
