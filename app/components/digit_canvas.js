const PEN = 22;

const canvases = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (!canvases.has(parentElement)) canvases.set(parentElement, new DigitCanvas(parentElement, data));
  const canvas = canvases.get(parentElement);
  canvas.send = (strokes) => setStateValue("strokes", strokes);
  if (!data.strokes.length && canvas.strokes.length) canvas.send(canvas.strokes); // a new session knows none of them
}

class DigitCanvas {
  constructor(root, { strokes, side }) {
    Object.assign(this, { strokes, side }); // places are counted in a square of this side
    this.stroke = null; // the one that is being drawn, by this pointer
    this.pointer = null;
    this.canvas = root.querySelector("canvas");
    this.canvas.width = this.canvas.height = side;
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      this.canvas.addEventListener(type, (event) => this.end(event));
    root.querySelector("[data-action=undo]").addEventListener("click", () => this.keep(this.strokes.slice(0, -1)));
    root.querySelector("[data-action=clear]").addEventListener("click", () => this.keep([]));
    this.draw();
  }

  begin(event) {
    if (event.button || this.stroke) return; // another button, or a palm
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = this.place(event);
    this.draw();
  }

  go(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    for (const point of event.getCoalescedEvents?.() ?? [event]) this.stroke.push(...this.place(point));
    this.draw();
  }

  end(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const strokes = [...this.strokes, this.stroke];
    this.stroke = null;
    this.keep(strokes);
  }

  keep(strokes) {
    this.strokes = strokes;
    this.draw();
    this.send(strokes);
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const inside = (value) => Math.min(Math.max(Math.round((value * this.side) / box.width), 0), this.side);
    return [inside(event.clientX - box.left), inside(event.clientY - box.top)]; // no ink that nobody sees
  }

  draw() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.side, this.side);
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    for (const stroke of this.stroke ? [...this.strokes, this.stroke] : this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0], stroke[1]);
      for (let i = 0; i < stroke.length; i += 2) context.lineTo(stroke[i] + 0.01, stroke[i + 1]); // a dot is a line too
      context.stroke();
    }
  }
}
