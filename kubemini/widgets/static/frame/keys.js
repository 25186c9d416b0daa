// The keys of a widget.
import { actionsFor } from "../actions.js";

export const HELP = [
  ["Space or k", "play, pause"],
  ["← →", "one step back, one step on"],
  ["Home End", "to the start, to the end"],
  ["[ ]", "slower, faster"],
  ["Tab", "from component to component"],
  ["Enter", "select the component"],
  ["c", "crash or restart what is selected"],
  ["p", "pause or resume what is selected"],
  ["s", "stop what is selected, in peace"],
  ["o", "power of its host off or on"],
  ["x", "cut its host off"],
  ["h", "heal the network"],
  ["Esc", "leave the widget"],
  ["?", "this list"],
];

/** What the keys do; what gives false leaves the key to the browser. */
const KEYS = {
  " ": (w, presses) => (presses ? false : w.player.play(!w.player.playing)),
  k: (w) => w.player.play(!w.player.playing),
  ArrowLeft: (w) => w.player.step(-1),
  ArrowRight: (w) => w.player.step(1),
  Home: (w) => (w.locked() ? w.gate.ask() : w.player.go(0)),
  End: (w) => (w.locked() ? w.gate.ask() : w.player.go(w.past.until)),
  "[": (w) => w.player.faster(-1),
  "]": (w) => w.player.faster(1),
  ...Object.fromEntries([..."cpsoxh"].map((key) => [key, (w) => deed(w, key)])),
  "?": (w) => w.parts.showHelp(),
  Escape: (w) => giveUp(w),
};

function deed(widget, key) {
  const found =
    !widget.locked() &&
    actionsFor(widget.sel, widget.past.at(widget.t), widget.past.topology).find(
      (x) => x.key && x.key.includes(key),
    );
  if (found) widget.act(found);
  else
    widget.say(
      widget.locked()
        ? "Lock in your prediction first."
        : "That cannot be done to what is selected.",
    );
}

/** Closes what is open; false if nothing is. */
function giveUp(widget) {
  const { help, bHelp } = widget.parts;
  if (widget.view.giveUp && widget.view.giveUp()) return true;
  if (help.hidden) return false;
  widget.parts.showHelp();
  bHelp.focus();
  return true;
}

/** A key inside the widget; those of a field that is written in are its own. */
export function onKey(widget, ev) {
  const { target, key } = ev,
    { range, table } = widget.parts,
    kind = target.tagName;
  const written =
    kind === "SELECT" || kind === "TEXTAREA" || (kind === "INPUT" && target !== range);
  if (ev.defaultPrevented || ev.ctrlKey || ev.metaKey || ev.altKey || (written && key !== "Escape"))
    return;
  if (table.contains(target) && /^(Home|End)$/.test(key)) return;
  const own = (widget.view.keys || []).find(([name]) => name === key);
  const run = own ? own[2] : KEYS[key],
    presses = kind === "BUTTON" || target.getAttribute("role") === "button";
  if (run && run(widget, presses) !== false) ev.preventDefault();
}
