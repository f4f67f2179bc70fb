"use strict";
(() => {
  const curve = JSON.parse(document.getElementById("curve").textContent);
  const plots = [...document.querySelectorAll("[data-plot]")];
  const readouts = [...document.querySelectorAll("[data-readout]")];
  const number = (value, decimals) =>
    value === null || value === undefined ? "–"
      : value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const stamp = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/:00\.000Z$|\.\d+Z$/, "");
  const texts = {
    price: (at) => [["close", number(curve.close[at], curve.decimals.price)]],
    equity: (at) => [
      ["equity", number(curve.equity[at], curve.decimals.money)],
      ["hold", number(curve.hold[at], curve.decimals.money)],
      ["drawdown", number(curve.drawdown[at], 2) + " %"],
    ],
  };
  let place = -1;
  const last = curve.at.length - 1;
  const show = (at) => {
    place = at;
    const span = curve.at[last] - curve.from || 1;
    const left = 100 * (curve.at[at] - curve.from) / span;
    for (const plot of plots) {
      const cross = plot.querySelector(".cross");
      cross.style.left = left + "%";
      cross.style.opacity = at < 0 ? 0 : 1;
    }
    for (const readout of readouts) {
      readout.replaceChildren();
      if (at < 0) continue;
      readout.append(stamp(curve.at[at]) + " UTC");
      for (const [name, value] of texts[readout.dataset.readout](at)) {
        const figure = document.createElement("b");
        figure.textContent = value;
        readout.append(" · " + name + " ", figure);
      }
    }
  };
  const find = (ms) => {
    let [low, high] = [0, last];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (curve.at[middle] < ms) low = middle + 1; else high = middle;
    }
    return low;
  };
  for (const plot of plots) {
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      show(find(curve.from + part * (curve.at[last] - curve.from)));
    });
    plot.addEventListener("pointerleave", () => show(-1));
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(Math.min(last, Math.max(0, (place < 0 ? last : place) + step)));
    });
  }
  for (const table of document.querySelectorAll("[data-sort]")) {
    table.classList.add("live");
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.tabIndex = 0;
      const sort = () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.v;
        const order = (a, b) => {
          const [left, right] = [key(a), key(b)];
          const by = left - right;
          return Number.isNaN(by) ? left.localeCompare(right) : by;
        };
        table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => down ? order(b, a) : order(a, b)));
      };
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
    });
  }
})();
