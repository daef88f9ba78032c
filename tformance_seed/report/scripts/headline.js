// The figures above the charts, and how they compare with those of as many days before.
const SAME = 0.0005; // a change of less than that is none, as it would be written as 0.0%

const signed = (value, unit) => {
  if (Math.abs(value) < SAME) return `unchanged`;
  const size = Math.abs(value) * 100;
  return `${value < 0 ? "−" : "+"}${size < 10 ? size.toFixed(1) : whole.format(Math.round(size))}${unit}`;
};
const ratio = (now, before) => (before ? signed(now / before - 1, "%") : null);
const points = (now, before) => signed(now - before, " points");

const show = (figure, text, small, change = null) => {
  const lines = [small, change].filter(Boolean).map((textContent) => element("small", { textContent }));
  document.querySelector(`[data-figure="${figure}"]`).replaceChildren(text, ...lines);
};

// earlier: the same totals of the days before, or null.
const headline = ({ count, merged, withAi, cycle, review, usage }, earlier, choice) => {
  const all = choice.organisation === ALL;
  const shown = all ? data.organisations : [data.organisations[choice.organisation]];
  const members = shown.reduce((sum, [, each]) => sum + each, 0);
  const days = choice.to - choice.from + 1;
  const on = (change) => change && `${change} on the ${days === 1 ? "day" : `${whole.format(days)} days`} before`;
  const compared = (now, before) => (earlier ? on(ratio(now, before)) : null);
  show("members", whole.format(members), all ? `in ${many(shown.length, "organisation")}` : `of ${shown[0][0]}`);
  show("pull-requests", whole.format(count), `${whole.format(merged)} merged`, compared(count, earlier?.count));
  const share = count ? withAi / count : null;
  const shares = count && earlier?.count ? on(points(share, earlier.withAi / earlier.count)) : null;
  show("with-ai", count ? percent.format(share) : UNKNOWN, `${many(withAi, "pull request")}`, shares);
  for (const [name, times, before] of [["cycle-time", cycle, earlier?.cycle], ["first-review", review, earlier?.review]]) {
    if (!times.count) show(name, UNKNOWN, "none in this period");
    else {
      const change = before?.count ? on(ratio(times.median, before.median)) : null;
      show(name, `≈ ${hours(times.median)}`, `mean ${hours(times.mean)}`, change);
    }
  }
  show("usage", whole.format(usage), "member-days", compared(usage, earlier?.usage));
};
