/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zoom of timelines and buttons that copy. The page reads without it. */
"use strict";
function button(text, label, act) {
	const b = document.createElement("button");
	b.type = "button";
	b.textContent = text;
	b.setAttribute("aria-label", label);
	b.addEventListener("click", act);
	return b;
}
document.querySelectorAll(".timeline").forEach(function (figure) {
	const box = figure.querySelector(".scroll"), svg = box.querySelector("svg.time");
	const bar = document.createElement("p");
	let zoom = 1;
	function set(z, at) {
		const middle = at === undefined ? box.clientWidth / 2 : at;
		const part = (box.scrollLeft + middle) / svg.clientWidth;
		zoom = Math.min(64, Math.max(1, z));
		svg.style.width = zoom * 100 + "%";
		svg.classList.toggle("near", zoom !== 1);
		box.scrollLeft = part * svg.clientWidth - middle;
		names();
	}
	function names() {
		svg.querySelectorAll("text.lane").forEach(function (t) {
			t.setAttribute("transform", "translate(" + box.scrollLeft + ")");
		});
	}
	bar.className = "tools";
	bar.append(button("\u2212", "zoom out", function () { set(zoom / 2); }),
		button("+", "zoom in", function () { set(zoom * 2); }),
		button("all", "show all", function () { set(1); }));
	figure.insertBefore(bar, box);
	box.addEventListener("scroll", names);
	box.addEventListener("wheel", function (e) {
		if (e.ctrlKey) {
			e.preventDefault();
			set(zoom * Math.pow(2, -Math.sign(e.deltaY)), e.clientX - box.getBoundingClientRect().left);
		}
	}, { passive: false });
	box.addEventListener("keydown", function (e) {
		const step = { "+": 2, "=": 2, "-": 0.5 }[e.key];
		if (step)
			set(zoom * step);
	});
});
document.querySelectorAll("pre.copy").forEach(function (pre) {
	const b = button("copy", "copy this text", function () {
		const range = document.createRange(), all = window.getSelection();
		range.selectNodeContents(pre);
		all.removeAllRanges();
		all.addRange(range);
		b.textContent = document.execCommand("copy") ? "copied" : "selected: press Ctrl+C";
	});
	const box = document.createElement("div");
	box.className = "copybox";
	pre.before(box);
	box.append(b, pre);
});
