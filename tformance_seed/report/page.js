"use strict";
// Adds up what belongs to the organisation and the period chosen; the sums feed a chart and the table behind it.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const DAY = 86_400_000;
  const MINUTES = 60;
  const UNKNOWN = "–";
  const ERRORS = 1; // Vega's level: its warnings are about charts of nothing

  // How values are written.
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
  const WRITTEN = { text: String, whole: (n) => whole.format(n), share: (n) => percent.format(n), day, size };

  // A series as one column for each dimension, and one for each sum.
  const unpacked = ({ dimensions, steps, sums }) => {
    const sizes = Object.entries(dimensions).reverse();
    const columns = Object.fromEntries(sizes.map(([name]) => [name, new Int32Array(steps.length)]));
    let key = 0;
    steps.forEach((step, row) => {
      key += step;
      let rest = key;
      for (const [name, count] of sizes) {
        columns[name][row] = rest % count;
        rest = Math.floor(rest / count);
      }
    });
    return { ...columns, ...sums, rows: steps.length };
  };
  const series = Object.fromEntries(Object.entries(data.series).map(([name, packed]) => [name, unpacked(packed)]));
  series.reviews.organisation = Int32Array.from(series.reviews.reviewer, (place) => data.reviewers[place][1]);

  // The rows of a series that belong to what is chosen.
  function* chosen(name, { organisation, from, to }) {
    const of = series[name];
    for (let row = 0; row < of.rows; row++) {
      const inside = of.week[row] >= from && of.week[row] <= to;
      if (inside && (organisation < 0 || of.organisation[row] === organisation)) yield row;
    }
  }

  // Hours at the lower end of a bin; bin 0 is below the first edge.
  const edge = (bin) => data.bins.first * 2 ** ((bin - 1) / data.bins.fineness);

  // Pull requests with their hours: counts by bin with and without AI, and their mean and median.
  class Times {
    counts = Array.from({ length: data.bins.edges + 1 }, () => [0, 0]);
    count = 0;
    hundredths = 0;

    add(bin, withAi, count, hundredths) {
      if (bin > data.bins.edges) return;
      this.counts[bin][withAi] += count;
      this.count += count;
      this.hundredths += hundredths;
    }

    get mean() {
      return this.hundredths / this.count / 100;
    }

    // As if a bin's values were spread evenly on the logarithmic scale.
    get median() {
      let left = this.count / 2;
      const bin = this.counts.findIndex(([without, withAi]) => (left -= without + withAi) <= 0);
      const inBin = this.counts[bin][0] + this.counts[bin][1];
      return edge(bin + (left + inBin) / inBin);
    }

    // One row for each doubling of the time.
    table() {
      const { fineness, edges } = data.bins;
      const rows = Array.from({ length: (edges - 1) / fineness + 2 }, (_, place) => {
        const from = edge((place - 1) * fineness + 1);
        return { from, to: 2 * from, "With AI": 0, "Without AI": 0 };
      });
      this.counts.forEach(([without, withAi], bin) => {
        const row = rows[Math.ceil(bin / fineness)];
        row["With AI"] += withAi;
        row["Without AI"] += without;
      });
      const last = rows.length - 1;
      return rows.map((row, place) => ({
        Time:
          place === 0 ? `under ${hours(row.to)}`
          : place === last ? `over ${hours(row.from)}`
          : `${hours(row.from)} to ${hours(row.to)}`,
        ...row,
        All: row["With AI"] + row["Without AI"],
      }));
    }
  }

  // All figures of what is chosen: those of the headline, and by chart the rows of its table.
  function figures(choice) {
    const total = { count: 0, merged: 0, withAi: 0 };
    const weeks = data.mondays.map((Week) => ({ Week, "With AI": 0, "Without AI": 0, All: 0 }));
    const cycle = new Times();
    const pulls = series.pull_requests;
    for (const row of chosen("pull_requests", choice)) {
      const count = pulls.count[row];
      const withAi = pulls.with_ai[row];
      total.count += count;
      total.withAi += withAi * count;
      if (!pulls.merged[row]) continue;
      total.merged += count;
      weeks[pulls.week[row]][withAi ? "With AI" : "Without AI"] += count;
      weeks[pulls.week[row]].All += count;
      cycle.add(pulls.bin[row], withAi, count, pulls.hundredths[row]);
    }
    const review = new Times();
    const first = series.first_reviews;
    for (const row of chosen("first_reviews", choice)) {
      review.add(first.bin[row], first.with_ai[row], first.count[row], first.hundredths[row]);
    }
    // The weeks from the first to the last in which anything was merged.
    const busy = weeks.map((week) => week.All > 0);
    const span = busy.includes(true) ? [busy.indexOf(true), busy.lastIndexOf(true) + 1] : [0, 0];
    const merged = weeks.slice(...span);
    return {
      total: { ...total, cycle, review, usage: added("usage", choice) },
      rows: {
        "pull-requests": merged,
        "ai-share": total.withAi ? merged.map(share) : [],
        "cycle-time": cycle.count ? cycle.table() : [],
        "review-time": review.count ? review.table() : [],
        tools: tools(choice).slice(...span),
        usage: usage(choice),
        reviewers: reviewers(choice),
        tables: data.tables,
      },
    };
  }

  const share = ({ Week, All, ...week }) => ({ Week, "AI share": All ? week["With AI"] / All : null });

  const added = (name, choice) => {
    let sum = 0;
    for (const row of chosen(name, choice)) sum += series[name].count[row];
    return sum;
  };

  // Rows of zeros under the headings of a chart's table, of which the first is the row's own.
  const blank = (chart, heading, values) => {
    const names = Object.keys(data.charts[chart].columns).slice(1);
    return values.map((value) => ({ [heading]: value, ...Object.fromEntries(names.map((name) => [name, 0])) }));
  };

  // What counts a series by a row's place and a part's name.
  const counted = (chart, heading, values, place, part, names) => (choice) => {
    const rows = blank(chart, heading, values);
    const { [place]: places, [part]: parts, count } = series[chart];
    let any = false;
    for (const row of chosen(chart, choice)) {
      rows[places[row]][names[parts[row]]] += count[row];
      any = true;
    }
    return any ? rows : [];
  };

  const tools = counted("tools", "Week", data.mondays, "week", "tool", data.tools);
  const usage = counted("usage", "Weekday", WEEKDAYS, "weekday", "source", data.sources);

  const reviewers = (choice) => {
    const sums = new Map();
    const { reviewer, count } = series.reviews;
    for (const row of chosen("reviews", choice)) sums.set(reviewer[row], (sums.get(reviewer[row]) ?? 0) + count[row]);
    return [...sums]
      .sort(([a, one], [b, other]) => other - one || a - b)
      .slice(0, data.mostReviewers)
      .map(([place, Reviews]) => {
        const [Reviewer, organisation] = data.reviewers[place];
        return { key: `${Reviewer}\n${place}`, Reviewer, Organisation: data.organisations[organisation][0], Reviews };
      });
  };

  // What is shown.
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const table = (columns, rows) => {
    const headings = Object.entries(columns);
    const side = (kind) => (kind === "text" || kind === "day" ? "text" : "number");
    const cell = (row, [heading, kind], place) => {
      const value = row[heading];
      const textContent = value === null || value === undefined ? UNKNOWN : WRITTEN[kind](value);
      return element(place ? "td" : "th", { className: side(kind), textContent, ...(place ? {} : { scope: "row" }) });
    };
    const head = headings.map(([textContent, kind]) => element("th", { textContent, className: side(kind), scope: "col" }));
    const body = rows.map((row) => element("tr", {}, ...headings.map((column, place) => cell(row, column, place))));
    return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  };

  const say = (figure, text, small) => {
    document.querySelector(`[data-figure="${figure}"]`).replaceChildren(text, element("small", { textContent: small }));
  };

  const headline = ({ count, merged, withAi, cycle, review, usage: days }, choice) => {
    const all = choice.organisation < 0;
    const shown = all ? data.organisations : [data.organisations[choice.organisation]];
    const members = shown.reduce((sum, [, each]) => sum + each, 0);
    const many = `in ${whole.format(shown.length)} organisation${shown.length === 1 ? "" : "s"}`;
    say("members", whole.format(members), all ? many : `of ${shown[0][0]}`);
    say("pull-requests", whole.format(count), `${whole.format(merged)} merged`);
    say("with-ai", count ? percent.format(withAi / count) : UNKNOWN, `${whole.format(withAi)} pull requests`);
    for (const [name, times] of [["cycle-time", cycle], ["first-review", review]]) {
      if (times.count) say(name, `≈ ${hours(times.median)}`, `mean ${hours(times.mean)}`);
      else say(name, UNKNOWN, "none in this period");
    }
    say("usage", whole.format(days), "member-days");
  };

  const views = {};
  const update = () => {
    const choice = {
      organisation: Number(organisation.value),
      from: Number(from.value),
      to: Number(to.value),
    };
    const { total, rows } = figures(choice);
    headline(total, choice);
    for (const [name, { columns }] of Object.entries(data.charts)) {
      const card = document.getElementById(name);
      card.classList.toggle("empty", rows[name].length === 0);
      card.querySelector(".nothing").hidden = rows[name].length > 0;
      card.querySelector(".scroll").replaceChildren(table(columns, rows[name]));
      views[name]?.data("rows", rows[name]).resize().runAsync();
    }
    const period = data.mondays.length ? `, ${from.selectedOptions[0].text} to ${to.selectedOptions[0].text}` : "";
    document.getElementById("shown").textContent = `Shown: ${organisation.selectedOptions[0].text}${period}`;
  };

  const [organisation, from, to, theme] = ["organisation", "from", "to", "theme"].map((id) => document.getElementById(id));
  const option = (value, text) => element("option", { value, text });
  organisation.append(
    option(-1, `All organisations (${data.organisations.length})`),
    ...data.organisations.map(([slug], place) => option(place, slug)),
  );
  from.append(...data.mondays.map((monday, place) => option(place, day(monday))));
  to.append(...data.mondays.map((monday, place) => option(place, day(monday, 6))));
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
      const place = document.querySelector(`#${name} .drawing`);
      const options = { config: data.config, renderer: "svg", actions: false, logLevel: ERRORS };
      const { view } = await vegaEmbed(place, spec, options);
      views[name] = view;
    }),
  ).then(() => {
    update();
    root.dataset.ready = "";
  });
})();
