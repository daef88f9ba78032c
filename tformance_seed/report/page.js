"use strict";
// Adds up what belongs to the organisation and the period chosen, for the figures on top, the charts and their tables.
// It knows no chart: what a chart shows is in the page's data.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const DAY = 86_400_000;
  const MINUTES = 60;
  const UNKNOWN = "–";
  const ERRORS = 1; // Vega's level: its warnings are about charts of nothing

  // Formats of values.
  const whole = new Intl.NumberFormat("en");
  const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const month = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: "UTC" });
  const day = (text, later = 0) => {
    const date = new Date(Date.parse(text) + later * DAY);
    return `${date.getUTCDate()} ${month.format(date)} ${date.getUTCFullYear()}`;
  };
  const size = (bytes) => {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.length; unit++) bytes /= 1024;
    return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
  };
  const hours = (value) => {
    if (value < 1) return `${Math.round(value * MINUTES)} min`;
    if (value < 72) return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} h`;
    return `${Math.round(value / 24)} days`;
  };
  const FORMATS = { text: String, count: (n) => whole.format(n), share: (n) => percent.format(n), day, size };

  // A series as one column for each dimension, and one for each sum.
  const unpack = ({ dimensions, steps, sums }) => {
    const sizes = Object.entries(dimensions).reverse();
    const columns = Object.fromEntries(sizes.map(([name]) => [name, new Int32Array(steps.length)]));
    let key = 0;
    steps.forEach((step, row) => {
      key += step;
      let rest = key;
      for (const [name, size] of sizes) {
        columns[name][row] = rest % size;
        rest = Math.floor(rest / size);
      }
    });
    return { ...columns, ...sums, rows: steps.length };
  };
  const series = Object.fromEntries(Object.entries(data.series).map(([name, packed]) => [name, unpack(packed)]));

  // The rows of a series that belong to what is chosen.
  function* chosen({ rows, organisation, week }, choice) {
    for (let row = 0; row < rows; row++) {
      const inPeriod = week[row] >= choice.from && week[row] <= choice.to;
      if (inPeriod && (choice.organisation < 0 || organisation[row] === choice.organisation)) yield row;
    }
  }

  // Pull requests with their hours: counts by bin, and their mean and median.
  class Times {
    counts = new Array(data.bins.edges + 1).fill(0);
    count = 0;
    hundredths = 0;

    add(bin, count, hundredths) {
      if (bin > data.bins.edges) return; // their hours are not known
      this.counts[bin] += count;
      this.count += count;
      this.hundredths += hundredths;
    }

    get mean() {
      return this.hundredths / this.count / 100;
    }

    // As if a bin's values were spread evenly on the logarithmic scale.
    get median() {
      let left = this.count / 2;
      const bin = this.counts.findIndex((count) => (left -= count) <= 0);
      const share = (left + this.counts[bin]) / this.counts[bin];
      return data.bins.minHours * 2 ** ((bin - 1 + share) / data.bins.perDoubling);
    }
  }

  // The figures above the charts, and the weeks from the first to the last in which anything was merged.
  const totals = (choice) => {
    const total = { count: 0, merged: 0, withAi: 0, usage: 0, cycle: new Times(), review: new Times() };
    const busy = data.mondays.map(() => false);
    const pulls = series.pull_requests;
    for (const row of chosen(pulls, choice)) {
      const count = pulls.count[row];
      total.count += count;
      total.withAi += pulls.with_ai[row] * count;
      if (!pulls.merged[row]) continue;
      total.merged += count;
      total.cycle.add(pulls.bin[row], count, pulls.hundredths[row]);
      busy[pulls.week[row]] = true;
    }
    const first = series.first_reviews;
    for (const row of chosen(first, choice)) total.review.add(first.bin[row], first.count[row], first.hundredths[row]);
    for (const row of chosen(series.usage, choice)) total.usage += series.usage.count[row];
    const span = busy.includes(true) ? [busy.indexOf(true), busy.lastIndexOf(true) + 1] : [0, 0];
    return { total, span };
  };

  // A chart's rows, as report/pivot.py describes them: none where nothing was counted.
  const pivot = ({ series: name, table }, choice, span) => {
    const [first, ...others] = Object.entries(table.rows);
    const rows = first[1].map((value, index) => ({
      key: `${value}\n${index}`,
      [first[0]]: value,
      ...Object.fromEntries(others.map(([heading, values]) => [heading, values[index]])),
    }));
    if (!name) return rows;
    for (const row of rows) Object.assign(row, Object.fromEntries(table.parts.map((part) => [part, 0])), { All: 0 });
    const counts = series[name];
    const only = Object.entries(table.only);
    for (const row of chosen(counts, choice)) {
      if (!only.every(([dimension, value]) => counts[dimension][row] === value)) continue;
      const value = counts[table.by][row];
      const target = rows[table.groups ? table.groups[value] : value];
      if (!target) continue;
      target[table.parts[table.part ? counts[table.part][row] : 0]] += counts.count[row];
      target.All += counts.count[row];
    }
    const shares = Object.entries(table.shares);
    const shown = shares.length ? shares.map(([, part]) => part) : ["All"];
    if (!rows.some((row) => shown.some((heading) => row[heading]))) return [];
    for (const row of rows) {
      for (const [heading, part] of shares) row[heading] = row.All ? row[part] / row.All : null;
    }
    if (table.limit !== null) {
      const ranked = rows.filter(({ All }) => All).sort((one, other) => other.All - one.All);
      return ranked.slice(0, table.limit);
    }
    return table.by === "week" ? rows.slice(...span) : rows;
  };

  // What is shown.
  const element = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  const table = (columns, rows) => {
    const headings = Object.entries(columns);
    const side = (kind) => (kind === "text" || kind === "day" ? "text" : "number");
    const cell = (row, [heading, kind], index) => {
      const value = row[heading];
      const textContent = value === null || value === undefined ? UNKNOWN : FORMATS[kind](value);
      return element(index ? "td" : "th", { className: side(kind), textContent, ...(index ? {} : { scope: "row" }) });
    };
    const head = headings.map(([textContent, kind]) => element("th", { textContent, className: side(kind), scope: "col" }));
    const body = rows.map((row) => element("tr", {}, ...headings.map((column, index) => cell(row, column, index))));
    return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  };

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
  from.append(...data.mondays.map((monday, index) => option(index, day(monday))));
  to.append(...data.mondays.map((monday, index) => option(index, day(monday, 6))));
  to.value = data.mondays.length - 1;
  organisation.addEventListener("change", update);
  for (const [changed, other, late] of [[from, to, Math.max], [to, from, Math.min]]) {
    changed.addEventListener("change", () => {
      other.value = late(Number(other.value), Number(changed.value));
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
})();
