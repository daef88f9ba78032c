// Writes tables as CSV (RFC 4180), with raw values: days as 2026-03-09, shares from 0 to 1.
const LINE_END = "\r\n";
const BYTE_ORDER_MARK = "\ufeff"; // or Excel takes UTF-8 for the system's own encoding

// What spreadsheets take for a formula: also after white space, and as full-width characters
// (https://owasp.org/www-community/attacks/CSV_Injection).
const FORMULA = /^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

const field = (value, kind) => {
  if (value === null || value === undefined) return "";
  const text = String(value);
  if (isNumber(kind)) return text;
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",;\s]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
};

const csv = (columns, rows) => {
  const kinds = Object.values(columns);
  const lines = [
    Object.keys(columns).map((name) => field(name, "text")),
    ...rows.map((row) => kinds.map((kind, index) => field(row[index], kind))),
  ];
  return BYTE_ORDER_MARK + lines.map((line) => line.join(",") + LINE_END).join("");
};

const save = (text, name) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = element("a", { href: url, download: `${name.replace(/[^\w.-]+/g, "-")}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url));
};
