const PAUSE = 40; // milliseconds without a change after which the server is asked
const STEPS = 200; // of a slider

const banks = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!banks.has(parentElement)) banks.set(parentElement, new LatentSliders(parentElement));
  banks.get(parentElement).show(data, setTriggerValue);
}

class LatentSliders {
  constructor(root) {
    this.box = root.querySelector(".sliders");
    this.rows = [];
    for (const type of ["change", "pointerup", "pointercancel", "keyup", "focusout"])
      this.box.addEventListener(type, () => this.settleSoon());
  }

  show(data, setTriggerValue) {
    point.followers.sliders = () => this.read();
    this.send = setTriggerValue;
    if (data === this.data) return;
    Object.assign(this, { data, strips: readBytes(data.strips) });
    const names = data.dimensions.map((dimension) => `${dimension.index} ${dimension.std}`).join();
    if (names !== this.names) this.build(data.dimensions);
    this.names = names;
    for (const [i, { low, high }] of data.dimensions.entries()) {
      this.rows[i].output.value = "";
      Object.assign(this.rows[i].input, { min: low, max: high, step: (high - low) / STEPS });
    }
    this.read();
  }

  build(dimensions) {
    this.rows = dimensions.map(({ index, std, dead }, i) => {
      const row = document.createElement("label");
      row.innerHTML = `<span>z${index}</span><input type="range"><output aria-live="off"></output>`;
      row.classList.toggle("dead", dead);
      row.title = `Its codes have a standard deviation of ${std}`;
      const [, input, output] = row.children;
      input.setAttribute("aria-label", `z${index}, ${dead ? "dead" : "active"}, standard deviation ${std}`);
      input.addEventListener("input", () => this.move(i, Number(input.value)));
      return { row, input, output };
    });
    const dead = dimensions.filter((dimension) => dimension.dead).length;
    const note = document.createElement("p");
    note.textContent = `${dead} dead: the codes do not vary there`;
    const rows = this.rows.map(({ row }) => row);
    if (dead) rows.splice(rows.length - dead, 0, note);
    this.box.replaceChildren(...rows);
  }

  move(i, value) {
    if (!point.z) return;
    const { index, low, high } = this.data.dimensions[i];
    const { length } = this.data;
    const z = [...point.z];
    z[index] = value;
    const parts = neighbours(((value - low) / (high - low)) * (length - 1), length);
    point.holder = "sliders";
    movePoint(z, blend(this.strips, parts.map(([place, weight]) => [index * length + place, weight])));
  }

  settleSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => point.holder === "sliders" && settlePoint(this.send), PAUSE);
  }

  read() {
    if (point.z?.length !== this.data.dimensions.length) return;
    for (const [i, { index }] of this.data.dimensions.entries()) {
      const { input, output } = this.rows[i];
      const value = point.z[index];
      const text = value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-0.00", "0.00");
      if (output.value === text) continue;
      output.value = text;
      input.setAttribute("aria-valuetext", text);
      if (Number(input.value) !== value) input.value = value;
    }
  }
}
