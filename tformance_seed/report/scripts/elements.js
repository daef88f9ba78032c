const root = document.documentElement;

// Makes elements of the page. Texts of the data become text nodes only: whatever they contain is inert.
const element = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role" || key === "scope") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
};

// How a column's cells are set: texts may be broken anywhere, words and days nowhere.
const side = (kind) => (isNumber(kind) ? "number" : kind === "text" ? "text" : "word");

// A row of a table. Roles are explicit, as on narrow screens rows are no rows to the style sheet; and each cell has
// its heading, which stands before it there.
const tableRow = (columns, values, first = null) => {
  const cells = Object.entries(columns).map(([heading, kind], index) => {
    const value = values[index];
    const known = value !== null && value !== undefined;
    const properties = {
      className: side(kind),
      "data-heading": heading,
      role: index ? "cell" : "rowheader",
      ...(index ? {} : { scope: "row" }),
    };
    const text = known ? FORMATS[kind](value) : UNKNOWN;
    return element(index ? "td" : "th", properties, !index && first ? first(text) : text);
  });
  return element("tr", { role: "row" }, ...cells);
};

// Stacks the rows of a table that is wider than the box that it stands in.
const fitTable = (box) => {
  const table = box.querySelector("table");
  if (!table || box.closest("details:not([open])") || !box.clientWidth) return;
  table.classList.remove("stacked");
  table.classList.toggle("stacked", box.scrollWidth > box.clientWidth);
};
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) fitTable(target);
});
for (const box of document.querySelectorAll(".scroll")) boxes.observe(box);

const makeTable = (rows, heads) =>
  element(
    "table",
    { role: "table" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heads)),
    element("tbody", { role: "rowgroup" }, ...rows),
  );

const heading = (content, kind) => element("th", { className: side(kind), role: "columnheader", scope: "col" }, content);

const table = (columns, rows) =>
  makeTable(
    rows.map((row) => tableRow(columns, Object.keys(columns).map((name) => row[name]))),
    Object.entries(columns).map(([text, kind]) => heading(text, kind)),
  );
