// Shows what the reader chooses. It knows no chart: what a chart shows is in the page's data.
const [organisation, from, to, theme] = ["organisation", "from", "to", "theme"].map((id) => document.getElementById(id));

// Name of a preset -> the number of days at the end of the data.
const PRESETS = { "7 days": 7, "30 days": 30, "90 days": 90, All: Infinity };

let state = readAddress(location.hash);
let address = null; // the one that is shown

const period = ({ from: first, to: last }) => daysFromTo(dateOf(first), dateOf(last));

const lists = Object.fromEntries(data.listings.map((listing) => [listing.name, new Listing(listing.name, listing)]));
const organisations = new Listing(
  "organisations",
  { columns: data.columns, one: "organisation", many: "organisations" },
  (text, index) => element("a", { textContent: text, href: `#org=${encodeURIComponent(text)}`, "data-index": String(index) }),
);

// The name of a file with what is shown.
const fileName = (name) => {
  const days = isEmpty ? "" : `-${dateOf(state.from)}-to-${dateOf(state.to)}`;
  return `tformance-${name}-${state.organisation === ALL ? "all" : slugs[state.organisation]}${days}`;
};

const preset = (days) => within(lastDay - days + 1, lastDay);

const showControls = () => {
  organisation.value = state.organisation;
  if (!isEmpty) {
    from.value = dateOf(state.from);
    to.value = dateOf(state.to);
  }
  const isWhole = (days) => preset(days).from === firstDay; // as all is, which then is the one that is pressed
  for (const button of document.querySelectorAll("#presets button")) {
    const days = PRESETS[button.textContent];
    const { from: first, to: last } = preset(days);
    const isShown = first === state.from && last === state.to && (days === Infinity || !isWhole(days));
    button.setAttribute("aria-pressed", String(isShown));
  }
  root.dataset.theme = state.theme ?? (system.matches ? "dark" : "light");
  theme.setAttribute("aria-checked", String(root.dataset.theme === "dark"));
  root.dataset.view = state.view;
  for (const link of document.querySelectorAll("nav a")) {
    link.href = writeAddress({ ...state, view: link.dataset.view });
    if (link.dataset.view === state.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

const showNotice = () => {
  const one = data.notices[data.origins[state.organisation]];
  const [label, text] = one ?? data.notices.all ?? [];
  document.getElementById("notice").hidden = !label;
  if (label) document.getElementById("origin").replaceChildren(element("strong", { textContent: `${label}.` }), ` ${text}`);
};

const showPeriod = (earlier) => {
  const who = state.organisation === ALL ? `All organisations (${slugs.length})` : slugs[state.organisation];
  const parts = [who];
  if (!isEmpty) {
    parts.push(`${many(state.to - state.from + 1, "day")}, ${period(state)}`);
    if (earlier) parts.push(`compared with ${period(earlier)}`);
    else if (state.from > firstDay) parts.push("no earlier data of the same length to compare with");
  }
  const text = parts.join(" · ");
  document.getElementById("shown").textContent = text;
  const more = document.getElementById("more");
  more.hidden = state.organisation === ALL;
  more.href = writeAddress(state.view === "organisations" ? { ...state, organisation: ALL } : { ...state, view: "organisations" });
  more.textContent = state.view === "organisations" ? "All organisations" : "Its insights, repositories, people and pull requests";
  document.getElementById("sheet").textContent = `${document.title} · ${text}`;
};

const showOrganisations = () => {
  for (const link of document.querySelectorAll("#organisations a")) {
    const index = Number(link.dataset.index);
    link.href = writeAddress({ ...state, organisation: index, view: "organisations" });
    if (index === state.organisation) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};

// What an organisation has: lists over all time, but of those with days only what is in the period.
const showDetails = () => {
  const chosen = state.organisation;
  document.getElementById("details").hidden = chosen === ALL;
  if (chosen === ALL) return;
  document.getElementById("details-title").textContent = slugs[chosen];
  const isWhole = state.from === firstDay && state.to === lastDay;
  for (const { name, many: several, order, columns, day: dayColumn, rows, totals } of data.listings) {
    const at = Object.keys(columns).indexOf(dayColumn);
    const inPeriod = (row) => {
      const number = dayNumber(row[at]);
      return Number.isNaN(number) ? isWhole : number >= state.from && number <= state.to;
    };
    const [all, total] = [rows[chosen], totals[chosen]];
    const left = at < 0 ? all : all.filter(inPeriod);
    const part = `The ${whole.format(all.length)} of ${whole.format(total)} ${several} ${order}`;
    const about = all.length < total ? part : `All ${several}`;
    const when = at < 0 ? "figures are over all time" : "those of this period are shown";
    lists[name].show(left, {
      about: `${about}; ${when}.`,
      empty: all.length ? `None of the ${several} in this list is of this period.` : `${slugs[chosen]} has no ${several}.`,
      fileName: () => fileName(name),
    });
  }
};

let span = [0, 0]; // the weeks that charts show

const render = () => {
  address = location.hash;
  showControls();
  showNotice();
  const { total, span: weeks } = totals(state);
  span = weeks;
  const earlier = periodBefore(state);
  headline(total, earlier && totals(earlier).total, state);
  showPeriod(earlier);
  showOrganisations();
  showDetails();
  drawAll(state, span);
};

// Shows something else, at an address of its own; a theme is no step that one goes back to.
const go = (changes, step = "pushState") => {
  state = { ...state, ...changes };
  history[step](null, "", writeAddress(state));
  render();
};

for (const event of ["popstate", "hashchange"]) {
  addEventListener(event, () => {
    if (location.hash === address) return;
    state = readAddress(location.hash);
    render();
  });
}

const option = (value, text) => element("option", { value, text });
organisation.append(
  option(ALL, `All organisations (${slugs.length})`),
  ...slugs.map((slug, index) => option(index, slug)),
);
organisation.addEventListener("change", () => go({ organisation: Number(organisation.value) }));
for (const input of [from, to]) {
  Object.assign(input, isEmpty ? { disabled: true } : { min: dateOf(firstDay), max: dateOf(lastDay) });
  input.addEventListener("change", () => {
    const number = dayNumber(input.value);
    if (Number.isNaN(number)) return showControls(); // it is not complete, or empty: as before
    const [first, last] = input === from ? [number, Math.max(number, state.to)] : [Math.min(number, state.from), number];
    go(within(first, last));
  });
}
for (const [textContent, days] of Object.entries(PRESETS)) {
  const title = days === Infinity ? "All days" : `The latest ${days} days`;
  const button = element("button", { type: "button", textContent, title, disabled: isEmpty });
  button.addEventListener("click", () => go(preset(days)));
  document.getElementById("presets").append(button);
}

const system = matchMedia("(prefers-color-scheme: dark)");
system.addEventListener("change", showControls);
theme.addEventListener("click", () => {
  go({ theme: root.dataset.theme === "dark" ? "light" : "dark" }, "replaceState");
});

// A link to another state of this page; with a key held down it opens in another tab, as any link.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const view = state.view;
  go(readAddress(link.hash));
  if (link.dataset.index || link.id === "more") {
    const title = document.getElementById(state.organisation === ALL ? "organisations-title" : "details-title");
    title.tabIndex = -1; // it can have the focus, which would be lost with the link that goes
    title.focus({ preventScroll: true });
    title.scrollIntoView();
  } else if (view !== state.view) scrollTo(0, 0);
});

for (const [name, { table: described }] of Object.entries(data.charts)) {
  document.querySelector(`#${name} .download`).addEventListener("click", () => {
    fill(name, state, span);
    const headings = Object.keys(described.columns);
    const rows = charts[name].rows.map((row) => headings.map((heading) => row[heading]));
    save(csv(described.columns, rows), fileName(name));
  });
}
organisations.show(data.organisations, {
  about: "Over all time; medians are exact. Choose one to see its insights, repositories, people and pull requests.",
  empty: "There is no organisation in this database.",
  fileName: () => "tformance-organisations",
});

// On paper every table is open.
const opened = [];
addEventListener("beforeprint", () => {
  for (const name of Object.keys(charts)) fill(name, state, span);
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    opened.push(details);
  }
});
addEventListener("afterprint", () => {
  for (const details of opened.splice(0)) details.open = false;
});

render();
