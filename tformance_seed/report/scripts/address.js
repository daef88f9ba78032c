// What is shown, as the part of the address after "#", which readers share, and go back and forward in:
// #org=polar&from=2026-01-05&to=2026-03-18&view=database&theme=dark
const VIEWS = ["overview", "organisations", "database"];
const THEMES = ["light", "dark"];

const slugs = data.organisations.map(([slug]) => slug);

// A day's number from its date, and the other way round; NaN if the text is no date.
const dayNumber = (text) => {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") ? Date.parse(text) : NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) return NaN;
  return (time - Date.parse(data.mondays[0])) / DAY;
};
const dateOf = (number) => new Date(Date.parse(data.mondays[0]) + number * DAY).toISOString().slice(0, 10);

// A period within the data; the whole of it where what is asked for is none.
const within = (from, to) => {
  if (Number.isNaN(from)) from = firstDay;
  if (Number.isNaN(to)) to = lastDay;
  const possible = from <= to && from <= lastDay && to >= firstDay;
  return possible ? { from: Math.max(from, firstDay), to: Math.min(to, lastDay) } : { from: firstDay, to: lastDay };
};

// What an address means. What it does not say, or says wrongly, is as if nothing had been chosen.
const readAddress = (hash) => {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const known = (values, name, otherwise) => (values.includes(given.get(name)) ? given.get(name) : otherwise);
  return {
    ...within(dayNumber(given.get("from")), dayNumber(given.get("to"))),
    organisation: slugs.indexOf(given.get("org")),
    view: known(VIEWS, "view", VIEWS[0]),
    theme: known(THEMES, "theme", null),
  };
};

const writeAddress = ({ organisation, from, to, view, theme }) => {
  const chosen = new URLSearchParams();
  if (organisation !== ALL) chosen.set("org", slugs[organisation]);
  if (from > firstDay) chosen.set("from", dateOf(from));
  if (to < lastDay) chosen.set("to", dateOf(to));
  if (view !== VIEWS[0]) chosen.set("view", view);
  if (theme) chosen.set("theme", theme);
  return `#${chosen}`;
};
