// A list that readers sort by any column, search, and download. It keeps its order, search and place when its rows
// change.
class Listing {
  // one, several: what a row is. first: makes the content of a row's first cell of its text and of the row.
  constructor(name, { columns, one, many: several }, first = null) {
    Object.assign(this, { columns, one, several, first, rows: [], sorted: null, descending: false });
    this.card = document.getElementById(name);
    this.box = this.card.querySelector(".scroll");
    this.search = this.card.querySelector("input");
    this.found = this.card.querySelector(".found");
    this.heads = Object.entries(columns).map(([text, kind], index) => {
      const button = element("button", { type: "button", textContent: text });
      button.addEventListener("click", () => this.sortBy(index));
      return heading(button, kind);
    });
    this.body = makeTable([], this.heads);
    this.box.append(this.body);
    this.search.addEventListener("input", () => this.update());
    this.card.querySelector(".download").addEventListener("click", () => {
      const shown = this.rows.filter(({ node }) => !node.hidden).map(({ values }) => values);
      save(csv(columns, shown), this.fileName());
    });
  }

  // rows: one list of values each. empty: why there are none.
  show(rows, { about, empty, fileName }) {
    this.rows = rows.map((values, index) => {
      const first = this.first && ((text) => this.first(text, index));
      const texts = Object.values(this.columns).map((kind, at) => (isNumber(kind) ? "" : values[at] ?? ""));
      const node = tableRow(this.columns, values, first);
      return { values, node, text: texts.join("\n").toLowerCase(), index };
    });
    Object.assign(this, { empty, fileName });
    this.card.querySelector("figcaption p").textContent = about;
    this.update();
    fitTable(this.box);
  }

  // Numbers and days are sorted with the greatest first, texts from A to Z; then the other way round.
  sortBy(index) {
    const again = this.sorted === index;
    this.descending = again ? !this.descending : !["text", "word"].includes(Object.values(this.columns)[index]);
    this.sorted = index;
    this.update();
  }

  update() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of this.rows) row.node.hidden = !words.every((word) => row.text.includes(word));
    if (this.sorted !== null) this.rows.sort((one, other) => this.compare(one, other));
    this.body.tBodies[0].replaceChildren(...this.rows.map(({ node }) => node));
    this.heads.forEach((head, index) => {
      if (index === this.sorted) head.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const left = this.rows.filter(({ node }) => !node.hidden).length;
    const all = many(this.rows.length, this.one, this.several);
    this.card.classList.toggle("bare", this.rows.length === 0);
    this.box.hidden = left === 0;
    if (!this.rows.length) this.found.textContent = this.empty;
    else if (!words.length) this.found.textContent = all;
    else if (left) this.found.textContent = `${whole.format(left)} of ${all}`;
    else this.found.textContent = `None of ${all} has “${this.search.value.trim()}” in its texts.`;
  }

  // What is not known comes last, in either order; equals keep the order that they came in.
  compare(one, other) {
    const [a, b] = [one.values[this.sorted], other.values[this.sorted]];
    const unknown = (a ?? null) === null ? 1 : 0;
    const otherUnknown = (b ?? null) === null ? 1 : 0;
    if (unknown || otherUnknown) return unknown - otherUnknown || one.index - other.index;
    const order = typeof a === "number" ? a - b : collator.compare(a, b);
    return (this.descending ? -order : order) || one.index - other.index;
  }
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
