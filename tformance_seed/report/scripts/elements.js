// Makes elements of the page.
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
