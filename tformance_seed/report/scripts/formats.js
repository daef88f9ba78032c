// Formats of values, as texts for a reader.
const DAY = 86_400_000;
const MINUTES = 60;
const UNKNOWN = "–";
const whole = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const month = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: "UTC" });
const day = (text, later = 0) => {
  const date = new Date(Date.parse(text) + later * DAY);
  return `${date.getUTCDate()} ${month.format(date)} ${date.getUTCFullYear()}`;
};
const daysFromTo = (first, last) => (first === last ? day(first) : `${day(first)} to ${day(last)}`);
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
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const decimals = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const FORMATS = {
  text: String,
  word: String,
  count: (n) => whole.format(n),
  tenths: (n) => tenths.format(n),
  hours: (n) => decimals.format(n),
  rating: (n) => decimals.format(n),
  duration: hours,
  share: (n) => percent.format(n),
  day,
  week: (text) => `${day(text.slice(0, 10))}${text.slice(10)}`, // the Monday, and whether the week is partial
  size,
};
const isNumber = (kind) => !["text", "word", "day", "week"].includes(kind);
const formatted = (kind, value) => (value === null || value === undefined ? UNKNOWN : FORMATS[kind](value));
const many = (count, one, several = `${one}s`) => `${whole.format(count)} ${count === 1 ? one : several}`;
