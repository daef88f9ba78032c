// The dimensions that follow from the day.
const BY = { week: weekOf, weekday: (number) => number % WEEK };

// A chart's rows, as report/pivot.py describes them: none where nothing was counted.
const pivot = ({ series: name, table }, choice, span) => {
  const [first, ...others] = Object.entries(table.rows);
  const rows = first[1].map((value, index) => ({
    key: `${value}\n${index}`,
    [first[0]]: value,
    ...Object.fromEntries(others.map(([heading, values]) => [heading, values[index]])),
  }));
  if (!name) return rows;
  for (const row of rows) Object.assign(row, Object.fromEntries(table.parts.map((part) => [part, 0])), { All: 0 });
  const counts = series[name];
  const only = Object.entries(table.only);
  for (const row of chosen(counts, choice)) {
    if (!only.every(([dimension, value]) => counts[dimension][row] === value)) continue;
    const value = BY[table.by]?.(counts.day[row]) ?? counts[table.by][row];
    const target = rows[table.groups ? table.groups[value] : value];
    if (!target) continue;
    target[table.parts[table.part ? counts[table.part][row] : 0]] += counts.count[row];
    target.All += counts.count[row];
  }
  const shares = Object.entries(table.shares);
  const shown = shares.length ? shares.map(([, part]) => part) : ["All"];
  if (!rows.some((row) => shown.some((heading) => row[heading]))) return [];
  for (const row of rows) {
    for (const [heading, part] of shares) row[heading] = row.All ? row[part] / row.All : null;
  }
  if (table.limit !== null) {
    const ranked = rows.filter(({ All }) => All).sort((one, other) => other.All - one.All);
    return ranked.slice(0, table.limit);
  }
  return table.by === "week" ? rows.slice(...span) : rows;
};
