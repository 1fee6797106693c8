const GAUGE = 1.6; // the gauge ends at this many times the limit

const pictures = new WeakMap();

export default function ({ data, parentElement }) {
  if (!pictures.has(parentElement)) pictures.set(parentElement, new LatentPicture(parentElement));
  pictures.get(parentElement).show(data);
}

class LatentPicture {
  constructor(root) {
    for (const name of ["card", "pixels", "state", "distance", "gauge", "limit", "said"]) this[name] = root.querySelector(`.${name}`);
    this.context = this.pixels.getContext("2d");
    this.image = this.context.createImageData(SIZE, SIZE);
    this.image.data.fill(255);
  }

  // The server's answer, unless the point has gone on meanwhile.
  show(data) {
    point.followers.picture = () => this.draw();
    if (data !== this.data) Object.assign(this, { data, exact: readBytes(data.pixels) });
    const outdated = data.turn < point.turn && performance.now() - point.asked < PATIENCE;
    if (point.holder || outdated) return;
    point.turn = data.turn;
    movePoint(data.z, null);
  }

  draw() {
    const exact = samePoint(point.z, this.data.z);
    const pixels = exact ? this.exact : point.pixels;
    if (!pixels || point.z.length !== this.data.z.length) return;
    const { data } = this.image;
    for (let i = 0; i < PIXELS; i++) data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = Math.round(pixels[i]);
    this.context.putImageData(this.image, 0, 0);
    this.pixels.dataset.exact = exact;
    write(this.state, exact ? "Decoded exactly" : "Blended");
    this.measure();
    if (exact) write(this.said, `Decoded exactly, ${this.distance.textContent}`); // a screen reader is told where a move ends
  }

  measure() {
    const { mean, whitening, limit, prior } = this.data;
    const away = point.z.map((value, i) => value - mean[i]);
    const sigmas = Math.hypot(...whitening.map((row) => row.reduce((sum, value, i) => sum + value * away[i], 0)));
    const far = sigmas > limit;
    this.card.classList.toggle("far", far);
    write(this.distance.firstElementChild, sigmas < 1000 ? `${sigmas.toFixed(sigmas < 100 ? 2 : 0)} σ` : "> 999 σ");
    write(this.distance.lastElementChild, `from the mean of ${prior}`);
    this.gauge.style.setProperty("--share", Math.min(sigmas / limit / GAUGE, 1));
    this.gauge.style.setProperty("--limit", 1 / GAUGE);
    const warning = "Far out: hardly any code lies here, so the decoder was hardly trained for it.";
    write(this.limit, far ? warning : `99% of its draws lie within ${limit.toFixed(2)} σ.`);
  }
}
