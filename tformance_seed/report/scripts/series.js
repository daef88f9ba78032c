// Adds up the page's series for what is chosen.
const unpackData = () => {
  const letters = atob(document.getElementById("data").textContent);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
};
const data = await unpackData();

const ALL = -1; // the index that stands for all organisations

// Days are numbers from 0, the first Monday, and so are weeks.
const WEEK = 7;
const weekOf = (number) => Math.floor(number / WEEK);

// The index of the first of ascending numbers that is not below a value.
const lowerBound = (numbers, value) => {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

// A series as one column for each dimension, and one for each sum.
const unpack = ({ dimensions, steps, sums, by_week: byWeek }) => {
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
  const starts = data.organisations.map((_, index) => lowerBound(columns.organisation, index));
  return { ...columns, ...sums, byWeek, starts: [...starts, steps.length] };
};

// Each series, unpacked when it is first asked for.
const series = {};
for (const [name, packed] of Object.entries(data.series)) {
  let unpacked = null;
  Object.defineProperty(series, name, { get: () => (unpacked ??= unpack(JSON.parse(packed))) });
}

// Calls a function with each row of a series that belongs to what is chosen. What was counted by the week belongs to a period
// that has any of its days.
const forChosen = ({ day: when, starts, byWeek }, { organisation, from, to }, use) => {
  const [first, end] = organisation === ALL ? [0, starts.at(-1)] : [starts[organisation], starts[organisation + 1]];
  const start = byWeek ? WEEK * weekOf(from) : from;
  for (let row = first; row < end; row++) if (when[row] >= start && when[row] <= to) use(row);
};

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

// The first and the last day of each organisation.
const extents = data.extents.map((extent) => extent ?? [Infinity, -Infinity]);
const extentOf = ({ organisation }) =>
  organisation === ALL
    ? extents.reduce(([first, last], extent) => [Math.min(first, extent[0]), Math.max(last, extent[1])], [Infinity, -Infinity])
    : extents[organisation];

// The first and the last day on which anything was counted, or for which an organisation was seeded.
const isEmpty = data.period === null;
const [firstDay, lastDay] = data.period ?? [0, -1];

// The days that the data and the period have in common.
const daysShown = (choice) => {
  const [first, last] = extentOf(choice);
  return [Math.max(first, choice.from), Math.min(last, choice.to)];
};

// Whether the data or the period begins or ends within a week.
const isPartial = (week, choice) => {
  const [first, last] = daysShown(choice);
  return WEEK * week < first || WEEK * week + WEEK - 1 > last;
};

// The figures above the charts, and the weeks that charts show.
const totals = (choice) => {
  const total = { count: 0, merged: 0, withAi: 0, usage: 0, cycle: new Times(), review: new Times() };
  const { pull_requests: pulls, first_reviews: first, member_days: used } = series;
  forChosen(pulls, choice, (row) => {
    const count = pulls.count[row];
    total.count += count;
    total.withAi += pulls.with_ai[row] * count;
    if (!pulls.merged[row]) return;
    total.merged += count;
    total.cycle.add(pulls.bin[row], count, pulls.hundredths[row]);
  });
  forChosen(first, choice, (row) => total.review.add(first.bin[row], first.count[row], first.hundredths[row]));
  forChosen(used, choice, (row) => (total.usage += used.count[row]));
  const shown = daysShown(choice);
  const span = shown[0] <= shown[1] ? [weekOf(shown[0]), weekOf(shown[1]) + 1] : [0, 0];
  return { total, span };
};

// The choice of as many days just before those shown, or null where the data does not reach back so far.
const periodBefore = (choice) => {
  const [first] = extentOf(choice);
  const days = choice.to - choice.from + 1;
  return choice.from - days < first ? null : { ...choice, from: choice.from - days, to: choice.from - 1 };
};
