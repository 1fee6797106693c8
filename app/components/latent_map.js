const STEP = 1 / 60; // of the map's reach, for an arrow key
const LARGE_STEP = 1 / 8;
const HOVER = 10; // screen pixels around a code in which it shows its digit
const MARKER = 11; // half its size with its outline, in screen pixels
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const maps = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!maps.has(parentElement)) maps.set(parentElement, new LatentMap(parentElement));
  maps.get(parentElement).show(data, setTriggerValue);
}

class LatentMap {
  constructor(root) {
    for (const name of ["map", "field", "marker", "tip", "legend", "caption"]) this[name] = root.querySelector(`.${name}`);
    const on = (type, listener) => this.field.addEventListener(type, listener);
    on("pointerdown", (event) => this.grab(event));
    on("pointermove", (event) => (this.dragging ? this.drag(event) : this.hover(event)));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) on(type, (event) => this.release(event));
    on("pointerleave", () => (this.tip.hidden = true));
    on("dblclick", (event) => this.visit(event));
    on("keydown", (event) => this.press(event));
    on("keyup", (event) => event.key in ARROWS && this.settle());
    on("blur", () => this.settle());
    new ResizeObserver(() => this.draw()).observe(this.field);
  }

  show(data, setTriggerValue) {
    point.followers.map = () => this.mark();
    this.send = setTriggerValue;
    if (data !== this.data) {
      const codes = new Float32Array(readBytes(data.codes).buffer);
      const shown = new Uint32Array(readBytes(data.shown).buffer);
      Object.assign(this, { data, codes, shown, atlas: readBytes(data.atlas), labels: readBytes(data.labels) });
      this.caption.textContent = data.caption;
      this.list();
    }
    this.draw();
  }

  // Screen to plane and back; x and y are in CSS pixels.
  place(event) {
    const { middle, reach } = this.data;
    const box = this.field.getBoundingClientRect();
    return [
      middle[0] + (((event.clientX - box.left) / box.width) * 2 - 1) * reach,
      middle[1] - (((event.clientY - box.top) / box.height) * 2 - 1) * reach,
    ];
  }

  screen([a, b]) {
    const { middle, reach } = this.data;
    const half = this.field.clientWidth / 2;
    return [half * (1 + (a - middle[0]) / reach), half * (1 - (b - middle[1]) / reach)];
  }

  coordinates(z) {
    const { origin, axes } = this.data;
    return axes.map((axis) => axis.reduce((sum, value, i) => sum + value * (z[i] - origin[i]), 0));
  }

  grab(event) {
    if (event.button || this.dragging) return; // another button, or a second finger
    this.pointer = event.pointerId;
    this.field.setPointerCapture(event.pointerId);
    this.tip.hidden = true;
    this.dragging = true;
    point.holder = "map";
    this.aim(this.place(event));
  }

  drag(event) {
    if (event.pointerId === this.pointer) this.aim(this.place(event));
  }

  release(event) {
    if (!this.dragging || event.pointerId !== this.pointer) return;
    if (event.type === "pointerup") this.aim(this.place(event));
    this.settle();
  }

  press(event) {
    const direction = ARROWS[event.key];
    if (!direction || !point.z || event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own keys
    event.preventDefault();
    const step = this.data.reach * (event.shiftKey ? LARGE_STEP : STEP);
    const from = this.next ?? this.coordinates(point.z);
    point.holder = "map";
    this.aim(from.map((value, i) => value + step * direction[i]));
  }

  // One picture per frame of the screen, however many events come between two.
  aim(place) {
    this.next = place;
    this.frame ??= requestAnimationFrame(() => this.go());
  }

  go() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.next) return;
    const { middle, reach, origin, axes, side } = this.data;
    const [a, b] = this.next.map((value, i) => Math.min(Math.max(value, middle[i] - reach), middle[i] + reach));
    const scale = (side - 1) / (2 * reach);
    const columns = neighbours((a - middle[0] + reach) * scale, side);
    const rows = neighbours((middle[1] + reach - b) * scale, side);
    const parts = rows.flatMap(([row, share]) => columns.map(([column, part]) => [row * side + column, share * part]));
    this.next = null;
    movePoint(
      origin.map((value, i) => value + a * axes[0][i] + b * axes[1][i]),
      blend(this.atlas, parts),
    );
  }

  settle() {
    this.dragging = false;
    if (point.holder !== "map") return;
    this.go();
    settlePoint(this.send);
  }

  mark() {
    if (point.z?.length !== this.data.origin.length) return;
    const size = this.field.clientWidth;
    const place = this.screen(this.coordinates(point.z));
    const outside = place.some((value) => value < -1 || value > size + 1); // its text is rounded
    const [x, y] = outside ? place.map((value) => Math.min(Math.max(value, MARKER), size - MARKER)) : place;
    this.marker.classList.toggle("outside", outside);
    this.marker.style.transform = `translate(${x}px, ${y}px)`;
  }

  nearest(event) {
    const box = this.field.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    let found = null;
    let least = HOVER ** 2;
    for (let i = 0; i < this.labels.length; i++) {
      if (this.alone !== undefined && this.labels[i] !== this.alone) continue;
      const [x, y] = this.screen(this.codes.subarray(2 * i, 2 * i + 2));
      const squared = (x - at[0]) ** 2 + (y - at[1]) ** 2;
      if (squared < least) [found, least] = [{ index: i, x, y }, squared];
    }
    return found;
  }

  hover(event) {
    const found = this.nearest(event);
    this.tip.hidden = !found;
    const sheet = document.querySelector(this.data.digits);
    if (!found || !sheet) return;
    const perRow = sheet.naturalWidth / SIZE;
    const left = SIZE * (found.index % perRow);
    const top = SIZE * Math.floor(found.index / perRow);
    this.tip.firstElementChild.getContext("2d").drawImage(sheet, left, top, SIZE, SIZE, 0, 0, SIZE, SIZE);
    this.tip.lastElementChild.textContent = `${this.labels[found.index]}, ${this.shown[found.index]}`;
    const flip = [found.x > this.field.clientWidth - 110, found.y > this.field.clientWidth - 130];
    const shift = flip.map((over) => (over ? "calc(-100% - 12px)" : "12px"));
    this.tip.style.transform = `translate(${found.x}px, ${found.y}px) translate(${shift})`;
  }

  visit(event) {
    const found = this.nearest(event);
    if (found) ask(this.send, "visit", { index: this.shown[found.index] });
  }

  list() {
    const digits = [...new Set(this.labels)].sort();
    if (!digits.includes(this.alone)) this.alone = undefined;
    const buttons = digits.map((digit) => {
      const button = document.createElement("button");
      button.textContent = digit;
      button.style.setProperty("--digit", this.data.colours[digit % this.data.colours.length]);
      button.setAttribute("aria-pressed", this.alone === digit);
      button.onclick = () => {
        this.alone = this.alone === digit ? undefined : digit;
        for (const other of buttons) other.setAttribute("aria-pressed", Number(other.textContent) === this.alone);
        this.draw();
      };
      return button;
    });
    this.legend.replaceChildren(...buttons);
    this.digits = digits;
  }

  draw() {
    const size = this.field.clientWidth;
    if (!this.data || !size) return;
    const ratio = devicePixelRatio;
    this.field.width = this.field.height = Math.round(size * ratio);
    const context = this.field.getContext("2d");
    context.scale(ratio, ratio);
    this.drawPictures(context, size);
    this.drawCodes(context);
    const ink = getComputedStyle(this.field);
    if (this.data.outline) this.drawLoop(context, this.data.outline, ink.color, [5, 4]);
    if (this.data.corners) this.drawCorners(context, ink);
    if (this.data.own) this.drawOwn(context, ink);
    this.mark();
  }

  // Some pictures of the atlas where they belong, their ink in the colour of the text.
  drawPictures(context, size) {
    const { side, stride } = this.data;
    const across = (side - 1) / stride + 1;
    const sheet = new OffscreenCanvas(across * SIZE, across * SIZE);
    const brush = sheet.getContext("2d");
    const ink = brush.createImageData(SIZE, SIZE);
    const [red, green, blue] = getComputedStyle(this.field).color.match(/[\d.]+/g);
    for (let row = 0; row < across; row++) {
      for (let column = 0; column < across; column++) {
        const start = stride * (row * side + column) * PIXELS;
        for (let i = 0; i < PIXELS; i++) ink.data.set([red, green, blue, this.atlas[start + i]], 4 * i);
        brush.putImageData(ink, column * SIZE, row * SIZE);
      }
    }
    const tile = size / (across - 1);
    context.globalAlpha = Number(getComputedStyle(this.field).getPropertyValue("--ink"));
    context.drawImage(sheet, -tile / 2, -tile / 2, size + tile, size + tile);
    context.globalAlpha = 1;
  }

  drawCodes(context) {
    const colours = {}; // as the legend has them in this theme
    for (const [i, button] of [...this.legend.children].entries()) colours[this.digits[i]] = getComputedStyle(button, "::before").backgroundColor;
    for (let i = 0; i < this.labels.length; i++) {
      const shown = this.alone === undefined || this.labels[i] === this.alone;
      const [x, y] = this.screen(this.codes.subarray(2 * i, 2 * i + 2));
      context.globalAlpha = shown ? 0.85 : 0.08;
      context.fillStyle = colours[this.labels[i]];
      context.beginPath();
      context.arc(x, y, shown && this.alone !== undefined ? 2.6 : 2, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  drawLoop(context, places, colour, dash, width = 1.2, opacity = 0.65) {
    context.beginPath();
    for (const place of places) context.lineTo(...this.screen(place));
    context.closePath();
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.globalAlpha = opacity;
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  // Of a model that is no VAE the ring has no size: a dot in its middle says where it is.
  drawOwn(context, ink) {
    const { name, ring } = this.data.own;
    const [x, y] = this.screen([0, 1].map((i) => ring.reduce((sum, place) => sum + place[i], 0) / ring.length));
    const sides = ring.map((place) => this.screen(place)[0]);
    context.font = `600 12px ${ink.fontFamily}`;
    const room = context.measureText(name).width + 4;
    const right = Math.max(x + 9, ...sides) + 7;
    const fits = right + room < this.field.clientWidth;
    const beside = fits ? right : Math.max(Math.min(x - 9, ...sides) - 7, room);
    context.textAlign = fits ? "left" : "right";
    context.textBaseline = "middle";
    for (const [colour, wider] of [[ink.backgroundColor, 3], [ink.accentColor, 0]]) {
      this.drawLoop(context, ring, colour, [], 2.5 + wider, 1);
      context.fillStyle = context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, 3.5 + wider / 2, 0, 2 * Math.PI);
      context.fill();
      context.lineWidth = wider;
      if (wider) context.strokeText(name, beside, y);
      else context.fillText(name, beside, y);
    }
  }

  drawCorners(context, ink) {
    this.drawLoop(context, this.data.corners.map((corner) => corner.place), ink.color, []);
    context.font = `600 12px ${ink.fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { place, label } of this.data.corners) {
      const [x, y] = this.screen(place);
      context.beginPath();
      context.arc(x, y, 11, 0, 2 * Math.PI);
      context.fillStyle = ink.color;
      context.fill();
      context.fillStyle = ink.backgroundColor;
      context.fillText(label, x, y);
    }
  }
}
