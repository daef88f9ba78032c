// Adds up the page's series for what is chosen.
const data = JSON.parse(document.getElementById("data").textContent);

// Days are numbers from 0, the first Monday, and so are weeks.
const WEEK = 7;
const weekOf = (number) => Math.floor(number / WEEK);

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

// The first and the last day on which anything was counted.
let [firstDay, lastDay] = [Infinity, -1];
for (const { day: when } of Object.values(series)) {
  for (const number of when) {
    if (number < firstDay) firstDay = number;
    if (number > lastDay) lastDay = number;
  }
}
const isEmpty = lastDay < 0;
if (isEmpty) firstDay = 0;

// The rows of a series that belong to what is chosen.
function* chosen({ rows, organisation, day: when }, choice) {
  for (let row = 0; row < rows; row++) {
    const inPeriod = when[row] >= choice.from && when[row] <= choice.to;
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
    busy[weekOf(pulls.day[row])] = true;
  }
  const first = series.first_reviews;
  for (const row of chosen(first, choice)) total.review.add(first.bin[row], first.count[row], first.hundredths[row]);
  for (const row of chosen(series.usage, choice)) total.usage += series.usage.count[row];
  const span = busy.includes(true) ? [busy.indexOf(true), busy.lastIndexOf(true) + 1] : [0, 0];
  return { total, span };
};

// The choice of as many days just before those chosen, or null where the data does not reach back so far.
const periodBefore = (choice) => {
  const days = choice.to - choice.from + 1;
  return choice.from - days < firstDay ? null : { ...choice, from: choice.from - days, to: choice.from - 1 };
};
