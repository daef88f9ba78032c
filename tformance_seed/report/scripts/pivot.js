// Makes a chart's rows, as report/pivot.py describes them.

// The dimensions that follow from the day.
const BY = { week: (days) => (row) => weekOf(days[row]), weekday: (days) => (row) => days[row] % WEEK };

// Whether a row of a series has the values that are counted.
const matches = (counts, where) => {
  const tests = Object.entries(where).map(([dimension, values]) => {
    const column = counts[dimension];
    const isCounted = [];
    for (const value of values) isCounted[value] = true;
    return (row) => isCounted[column[row]] === true;
  });
  const [first, second] = tests;
  if (tests.length > 2) return (row) => tests.every((test) => test(row));
  return second ? (row) => first(row) && second(row) : (first ?? (() => true));
};

// Figures of all rows of a table: `add` counts a row of the series if it belongs, and says whether it does.
const FIGURES = {
  sum({ where, measure, units }, counts, size) {
    const belongs = matches(counts, where);
    const totals = new Float64Array(size);
    const column = counts[measure];
    const add = (row, index) => {
      const does = belongs(row);
      if (does) totals[index] += column[row];
      return does;
    };
    return { add, value: (index) => totals[index] / units, all: () => totals.reduce((a, b) => a + b, 0) / units };
  },

  ratio({ over, under, of_column: ofColumn }, counts, size) {
    const [part, whole] = [over, under].map((each) => FIGURES.sum(each, counts, size));
    const add = (row, index) => {
      part.add(row, index);
      return whole.add(row, index);
    };
    const value = (index) => {
      const divisor = ofColumn ? whole.all() : whole.value(index);
      return divisor ? part.value(index) / divisor : null;
    };
    return { add, value };
  },

  median({ where }, counts, size) {
    const belongs = matches(counts, where);
    const times = new Array(size);
    const { bin, count, hundredths } = counts;
    const add = (row, index) => {
      if (!belongs(row) || bin[row] > data.bins.edges) return false;
      times[index] ??= new Times();
      times[index].add(bin[row], count[row], hundredths[row]);
      return true;
    };
    return { add, value: (index) => (times[index]?.count ? times[index].median : null) };
  },
};

// What a row says, in words.
const sentence = ({ columns, words }, row) => {
  const written = (heading) => formatted(columns[heading], row[heading]);
  const [first] = Object.keys(columns);
  const parts = words.map((part, index) => (index % 2 ? written(part) : part));
  return `${columns[first] === "week" ? "Week of " : ""}${written(first)}: ${parts.join("")}`;
};

// Computes a chart's figures for a number of rows, and finds the first and the last day that those which are drawn count.
const countUp = ({ series: name, table }, choice, size) => {
  const counts = series[name];
  const { day: days, [table.by]: column } = counts;
  const values = BY[table.by]?.(days) ?? ((row) => column[row]);
  const figures = Object.entries(table.figures).map(([heading, figure]) => [heading, FIGURES[figure.kind](figure, counts, size)]);
  const [drawn, others] = [true, false].map((isDrawn) =>
    figures.filter(([heading]) => heading in table.colours === isDrawn).map(([, { add }]) => add),
  );
  let [first, last] = [Infinity, -Infinity];
  forChosen(counts, choice, (row) => {
    const index = table.groups ? table.groups[values(row)] : values(row);
    if (index === null) return;
    let isCounted = false;
    for (let figure = 0; figure < drawn.length; figure++) if (drawn[figure](row, index)) isCounted = true;
    for (let figure = 0; figure < others.length; figure++) others[figure](row, index);
    if (!isCounted) return;
    first = Math.min(first, days[row]);
    last = Math.max(last, days[row]);
  });
  return { figures, days: first <= last ? [first, last + (counts.byWeek ? WEEK - 1 : 0)] : null };
};

// The rows of a chart: none where nothing was counted.
const pivot = (chart, choice, span) => {
  const { table } = chart;
  const fixed = Object.entries(table.rows);
  const rows = fixed[0][1].map((value, index) => ({
    key: `${value}\n${index}`,
    ...Object.fromEntries(fixed.map(([heading, values]) => [heading, values[index]])),
  }));
  if (!chart.series) return rows;
  const { figures, days } = countUp(chart, choice, rows.length);
  if (!days) return [];
  for (const [index, row] of rows.entries()) for (const [heading, figure] of figures) row[heading] = figure.value(index);
  let shown = rows;
  if (table.by === "week") shown = rows.slice(...span).map((row, index) => ofWeek(row, isPartial(span[0] + index, choice)));
  if (table.limit !== null) shown = busiest(rows, figures[0][0], table.limit);
  for (const row of shown) row.says = sentence(table, row);
  return shown;
};

// The row of a week, and its Monday for the axis.
const ofWeek = (row, partial) => ({ ...row, partial, monday: row.Week, Week: `${row.Week}${partial ? " (partial)" : ""}` });

// The rows with the greatest figures, and their places.
const busiest = (rows, heading, limit) => {
  const ranked = rows.filter((row) => row[heading]).sort((one, other) => other[heading] - one[heading]);
  return ranked.slice(0, limit).map((row, place) => ({ ...row, place }));
};

// Why a chart is empty: what it counts is in another period, or it is nowhere, as far as that is known.
const NEVER = {
  history: ": the history that it comes from has none",
  unknown: ": its data was not made by tformance_seed",
};
const whyEmpty = (chart, choice) => {
  const isOne = choice.organisation !== ALL;
  const who = isOne ? slugs[choice.organisation] : "This database";
  // Charts by week show no days but those of the data, beyond which there may be open pull requests of any age.
  const [from, to] = chart.table.by === "week" ? extentOf(choice) : [0, Infinity];
  const { days } = countUp(chart, { ...choice, from, to }, Object.values(chart.table.rows)[0].length);
  if (!days) return `${who} has no ${chart.counted}${(isOne && NEVER[data.origins[choice.organisation]]) || ""}.`;
  const when = days[0] === days[1] ? `on ${day(dateOf(days[0]))}` : `from ${daysFromTo(...days.map(dateOf))}`;
  return `No ${chart.counted} in this period: ${who} has them ${when}.`;
};
