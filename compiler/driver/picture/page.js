// The page of halcyon graph: what is under the pointer, what is selected, zoom and search. Without
// it the page still shows everything that is drawn.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const inspector = document.getElementById("inspector");
const tip = document.getElementById("tip");
const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** { stage, number, box } of a drawn box or { memory, number, block } of a drawn value. */
function meaning(target) {
  const drawn = target.closest?.(".box, .value");
  if (!drawn) return null;
  const [stage, number] = drawn.id.split("-");
  const box = data.graphs[stage]?.boxes[number] ?? data.memory[stage]?.[number];
  return { drawn, stage, number: Number(number), box };
}

function facts(list, most = list.length) {
  const dl = element("dl");
  for (const [name, value] of list.slice(0, most)) dl.append(element("dt", name), element("dd", value));
  return dl;
}

// What is under the pointer.

document.addEventListener("pointerover", (event) => {
  const found = meaning(event.target);
  tip.hidden = !found;
  if (!found) return;
  tip.replaceChildren(element("b", found.box.name));
  if (found.box.brief) tip.append(" ", found.box.brief);
  const group = data.graphs[found.stage]?.groups[found.box.group];
  const wanted = ["multiply-adds", "parameters", "output", "value", "size", "offset", "alive"];
  tip.append(facts([...found.box.facts.filter(([name]) => wanted.includes(name)), ...(group ? [["kernel", group.name.split(" ")[1]]] : [])]));
});
document.addEventListener("pointermove", (event) => {
  if (tip.hidden) return;
  const right = event.clientX + 16 + tip.offsetWidth > innerWidth;
  const below = event.clientY + 16 + tip.offsetHeight > innerHeight;
  tip.style.left = `${right ? event.clientX - 12 - tip.offsetWidth : event.clientX + 16}px`;
  tip.style.top = `${below ? event.clientY - 12 - tip.offsetHeight : event.clientY + 16}px`;
});

// What is selected.

let selected = null;

function clear() {
  for (const marked of document.querySelectorAll(".selected, .twin, .lit")) marked.classList.remove("selected", "twin", "lit");
  selected = null;
  inspector.hidden = true;
}

function links(title, stage, edges, end) {
  if (edges.length === 0) return [];
  const list = element("ul");
  for (const edge of edges) {
    const button = element("button", data.graphs[stage].boxes[edge[end]].name);
    button.onclick = () => select(byId(`${stage}-${edge[end]}`), true);
    const item = element("li");
    item.append(button, element("small", [edge[2], edge[3]].filter(Boolean).join(" · ")));
    list.append(item);
  }
  return [element("h4", title), list];
}

function describe(found) {
  const { box, stage, number } = found;
  const close = element("button", "×", "close");
  close.setAttribute("aria-label", "close");
  close.onclick = clear;
  inspector.replaceChildren(element("h3", box.name), close, element("div", box.brief ?? "in the workspace"));
  inspector.append(facts(box.facts));
  const graph = data.graphs[stage];
  if (!graph) return;
  inspector.append(...links("reads", stage, graph.edges.filter((edge) => edge[1] === number), 0));
  inspector.append(...links("read by", stage, graph.edges.filter((edge) => edge[0] === number), 1));
  const group = graph.groups[box.group];
  if (group) inspector.append(element("h4", group.name), facts(group.facts));
}

function bringIntoView(drawn) {
  drawn.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
}

function select(drawn, follow) {
  const found = drawn && meaning(drawn);
  if (!found) return;
  clear();
  selected = drawn;
  drawn.classList.add("selected");
  for (const other of drawn.ownerSVGElement.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", "-1");
  drawn.setAttribute("tabindex", "0");
  for (const edge of drawn.ownerSVGElement.querySelectorAll(`.edge[data-from="${found.number}"], .edge[data-to="${found.number}"]`)) edge.classList.add("lit");
  if (found.box.group >= 0) byId(`${found.stage}-k${found.box.group}`)?.classList.add("selected");
  // The same name in the other drawings and in the tables.
  for (const [stage, graph] of Object.entries(data.graphs)) {
    const twin = graph.boxes.findIndex((box) => box.name === found.box.name);
    if (stage !== found.stage && twin >= 0) byId(`${stage}-${twin}`).classList.add("twin");
  }
  for (const row of document.querySelectorAll("tr[data-name]")) row.classList.toggle("selected", row.dataset.name === found.box.name);
  describe(found);
  inspector.hidden = false;
  if (!follow) return;
  drawn.focus({ preventScroll: true });
  bringIntoView(drawn);
}

function selectBox(stages, test) {
  for (const stage of stages) {
    const number = data.graphs[stage]?.boxes.findIndex(test) ?? -1;
    if (number >= 0) return select(byId(`${stage}-${number}`), true);
  }
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("tbody tr");
  if (row?.dataset.name !== undefined) return selectBox(["before", "after"], (box) => box.name === row.dataset.name);
  if (row?.dataset.kernel !== undefined) return selectBox(["after"], (box) => box.group === Number(row.dataset.kernel));
  if (dragged) return;
  const found = meaning(event.target);
  if (found) select(found.drawn, false);
});

// Arrow keys follow the edges; left and right go to what stands beside.

function neighbour(found, key) {
  const graph = data.graphs[found.stage];
  if (!graph) {
    const step = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
    return byId(`${found.stage}-${found.number + step}`);
  }
  const down = key === "ArrowDown";
  if (down || key === "ArrowUp") {
    const edge = graph.edges.find((e) => e[down ? 0 : 1] === found.number);
    return edge && byId(`${found.stage}-${edge[down ? 1 : 0]}`);
  }
  const here = found.drawn.getBoundingClientRect();
  const side = key === "ArrowLeft" ? -1 : 1;
  let nearest = null, least = Infinity;
  for (const other of found.drawn.ownerSVGElement.querySelectorAll(".box")) {
    const there = other.getBoundingClientRect();
    const x = (there.left - here.left) * side, y = Math.abs(there.top - here.top);
    if (other === found.drawn || x < here.width / 2 || x + 3 * y >= least) continue;
    nearest = other;
    least = x + 3 * y;
  }
  return nearest;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return clear();
  const found = meaning(event.target);
  if (!found) return;
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    select(neighbour(found, event.key), true);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    select(found.drawn, true);
  }
});

// Zoom: the drawing changes its size, the pane scrolls.

function zoomer(section) {
  const pane = section.querySelector(".pane"), svg = section.querySelector("svg.graph");
  const width = svg.width.baseVal.value, height = svg.height.baseVal.value;
  let scale = 1;
  const zoom = (wanted, x = pane.clientWidth / 2, y = pane.clientHeight / 2) => {
    const next = Math.min(3, Math.max(0.05, wanted));
    const left = (pane.scrollLeft + x) * (next / scale) - x, top = (pane.scrollTop + y) * (next / scale) - y;
    scale = next;
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
    pane.scrollTo(left, top);
  };
  const room = () => [(pane.clientWidth - 16) / width, (Math.max(pane.clientHeight, innerHeight * 0.84) - 16) / height];
  const actions = { in: () => zoom(scale * 1.25), out: () => zoom(scale / 1.25), full: () => zoom(1), fit: () => zoom(Math.min(1, ...room())) };
  const bar = section.querySelector(".zoom");
  bar.hidden = false;
  bar.onclick = (event) => actions[event.target.dataset.zoom]?.();
  pane.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  // As wide as the pane, but never too small to read.
  zoom(Math.max(0.8, Math.min(1, room()[0])));
  const first = svg.querySelector(".box")?.getBoundingClientRect() ?? svg.getBoundingClientRect(), seen = pane.getBoundingClientRect();
  pane.scrollTo(first.left + first.width / 2 - seen.left - pane.clientWidth / 2, 0);
}

let dragged = false;

function draggable(pane) {
  let from = null;
  pane.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.button === 0 && event.pointerType === "mouse") from = { x: event.clientX, y: event.clientY, left: pane.scrollLeft, top: pane.scrollTop };
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4) dragged = true;
    if (!dragged) return;
    pane.classList.add("drags");
    pane.scrollTo(from.left - event.clientX + from.x, from.top - event.clientY + from.y);
  });
  addEventListener("pointerup", () => {
    from = null;
    pane.classList.remove("drags");
  });
}

for (const section of document.querySelectorAll("section:has(svg.graph)")) zoomer(section);
for (const pane of document.querySelectorAll(".pane")) draggable(pane);

// Search: marks what matches by name or operator, Enter goes from one to the next.

const search = byId("search"), found = byId("found");
let hits = [], hit = -1;

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().trim();
  hits = [];
  hit = -1;
  for (const [stage, graph] of Object.entries(data.graphs)) {
    byId(stage).classList.toggle("searching", words !== "");
    graph.boxes.forEach((box, number) => {
      const matches = words !== "" && `${box.name} ${box.brief}`.toLowerCase().includes(words);
      byId(`${stage}-${number}`).classList.toggle("hit", matches);
      if (matches) hits.push(byId(`${stage}-${number}`));
    });
  }
  found.textContent = words === "" ? "" : `${hits.length} found`;
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || hits.length === 0) return;
  hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
  select(hits[hit], false);
  bringIntoView(hits[hit]);
  found.textContent = `${hit + 1} of ${hits.length}`;
});
