// What a timeline can show of a record: groups of lines, one group at a time.

const QUANTITIES = [
  {
    key: "object_score",
    name: "Object score",
    what: "How probable it is that the object is to be seen in the frame",
    colour: "#56b4e9",
  },
  { key: "iou", name: "Predicted IoU", what: "How good the network expects its mask to be", colour: "#e69f00" },
  {
    key: "area",
    name: "Mask size, % of the frame",
    what: "The mask's pixels among all of the frame; the line is drawn in proportion to the run's largest mask",
    colour: "#009e73",
  },
  {
    key: "prior_agreement",
    name: "Prior agrees",
    what: "Soft IoU of the mask prior and the mask, on the prior's own grid",
    colour: "#cc79a7",
  },
  {
    key: "J",
    name: "J",
    what: "Region similarity: IoU of the mask and the ground truth",
    colour: "var(--body-text-color)",
  },
  { key: "F", name: "F", what: "Contour accuracy: how well the mask's outline fits the truth's", colour: "#d55e00" },
];

/**
 * The groups of a record. With one query, a single group of one line per quantity; with several, a group per quantity
 * of one line per query, and one for the difference.
 *
 * A line has `id`, `name`, `what`, `colour`, `dash`, `values` (0..1, or null where there is none) and `text(frame)`.
 */
function groupsOf(record) {
  const { queries } = record;
  const present = QUANTITIES.filter(({ key }) => queries.some((query) => query.frames.some((entry) => key in entry)));
  const wholes = { area: Math.max(1, ...queries.flatMap((query) => query.frames.map(({ area }) => area))) };
  const ofTheFrame = (share) => percent((share * wholes.area) / (record.width * record.height));
  const lineOf = (id, { key }, query, looks, index) => {
    const values = query.frames.map((entry) => unitValue(entry[key], wholes[key]));
    const say = key === "area" ? ofTheFrame : undefined;
    return makeLine(id, looks, index, values, say);
  };
  if (queries.length === 1) {
    const lines = present.map((quantity, index) => lineOf(quantity.key, quantity, queries[0], quantity, index));
    return [{ name: "All", lines }];
  }
  const groups = present.map((quantity) => ({
    name: quantity.name,
    what: quantity.what,
    lines: queries.map((query, index) => {
      const { letter, expression, colour } = query;
      return lineOf(letter, quantity, query, { name: letter, what: expression, colour }, index);
    }),
  }));
  return record.difference ? [...groups, differenceGroup(record.difference)] : groups;
}

function differenceGroup({ queries: [a, b], frames }) {
  const most = Math.max(1, ...frames.map(({ changed }) => changed));
  const same = { name: `IoU of ${a} and ${b}`, what: "1 where both masks are the same", colour: "#56b4e9" };
  const changed = { name: "Changed pixels", what: "Relative to the frame where most changed", colour: "#d55e00" };
  const ious = frames.map(({ iou }) => unitValue(iou));
  const changes = frames.map((entry) => unitValue(entry.changed, most));
  const inPixels = (share) => `${Math.round(share * most).toLocaleString("en")} px`;
  return {
    name: `${a} against ${b}`,
    what: "How far the masks of the two differ",
    lines: [makeLine("same", same, 0, ious), makeLine("changed", changed, 1, changes, inPixels)],
  };
}

function makeLine(id, { name, what, colour }, index, values, say = (value) => value.toFixed(2)) {
  const text = (frame) => (Number.isFinite(values[frame]) ? say(values[frame]) : "–");
  return { id, name, what, colour, dash: DASHES[index], values, text };
}

/** A share as a number of percent, as many digits as it takes to see small things change. */
function percent(share) {
  return (100 * share).toFixed(share < 0.1 ? 1 : 0);
}

function unitValue(value, whole = 1) {
  return Number.isFinite(value) ? clamp(value / whole, 0, 1) : null;
}

/** The stretches of a query's frames with a mask, or without one: [first, last] each. */
function stretches(query, withMask) {
  const found = [];
  query.frames.forEach(({ area }, frame) => {
    if (area > 0 !== withMask) return;
    if (found.at(-1)?.[1] === frame - 1) found.at(-1)[1] = frame;
    else found.push([frame, frame]);
  });
  return found;
}
