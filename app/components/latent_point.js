// The one point that the widgets of the Explore page share. Python puts this file in front of each widget's own.

const SIZE = 28;
const PIXELS = SIZE * SIZE;
const PATIENCE = 2000; // milliseconds for which answers to older questions are passed over

const point = (globalThis.latentPoint ??= {
  z: null, // where it is
  pixels: null, // blended there, in the page
  holder: null, // the widget with which a person is moving it
  turn: 0, // counts the questions to the server, so that its answers tell which they belong to
  asked: 0, // when the last was sent
  followers: {}, // what each widget does when the point has moved
});

function movePoint(z, pixels) {
  point.z = z;
  point.pixels = pixels;
  for (const follow of Object.values(point.followers)) follow();
}

// Asks the server for the exact picture, at a point of as many digits as the link will have.
function settlePoint(setTriggerValue) {
  point.holder = null;
  movePoint(point.z.map((value) => Number(value.toPrecision(4))), point.pixels);
  ask(setTriggerValue, "move", { z: point.z });
}

function ask(setTriggerValue, event, question) {
  point.turn += 1;
  point.asked = performance.now();
  setTriggerValue(event, { ...question, turn: point.turn });
}

const samePoint = (a, b) => a?.length === b?.length && a.every((value, i) => value === b[i]);

function readBytes(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// The weighted mean of pictures that lie one after another in `atlas`; parts are pairs of index and weight.
function blend(atlas, parts) {
  const pixels = new Float32Array(PIXELS);
  for (const [index, weight] of parts) {
    const start = index * PIXELS;
    for (let i = 0; i < PIXELS; i++) pixels[i] += weight * atlas[start + i];
  }
  return pixels;
}

// The two neighbours of a place among `count` evenly spaced ones, with their weights.
function neighbours(place, count) {
  const first = Math.min(Math.max(Math.floor(place), 0), count - 2);
  const share = Math.min(Math.max(place - first, 0), 1);
  return [
    [first, 1 - share],
    [first + 1, share],
  ];
}

// An unchanged text costs the browser a new layout all the same.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
