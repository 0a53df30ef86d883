/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page as it changes. It comes as a whole, and only what differs is put in place, so that
 * whoever reads, selects or follows a link in the rest of it is not disturbed. */
"use strict";
const main = document.querySelector("main"), state = document.getElementById("link");
function say(text, how) {
	if (state.textContent !== text)
		state.textContent = text;
	state.className = "soft " + how;
}
function renew(old, now) {
	if (old.isEqualNode(now))
		return;
	if (old.nodeName !== now.nodeName || old.id !== now.id || old.nodeType !== Node.ELEMENT_NODE) {
		old.replaceWith(now);
		return;
	}
	for (const name of old.getAttributeNames())
		if (!now.hasAttribute(name) && name !== "open") // details: the reader's
			old.removeAttribute(name);
	for (const name of now.getAttributeNames())
		if (old.getAttribute(name) !== now.getAttribute(name))
			old.setAttribute(name, now.getAttribute(name));
	renewAll(old, now);
}
function ids(node) {
	return new Set(Array.from(node.children, (c) => c.id).filter(Boolean));
}
/* Jobs come and go in the middle of a list: they are known by their id, and keep their order. */
function renewAll(old, now) {
	const wanted = ids(now), had = ids(old);
	let at = old.firstChild;
	function skip() {
		const next = at.nextSibling;
		at.remove();
		at = next;
	}
	for (const fresh of Array.from(now.childNodes)) {
		while (at && at.id && !wanted.has(at.id))
			skip();
		while (at && had.has(fresh.id) && at.id !== fresh.id)
			skip();
		if (!at || (fresh.id && at.id !== fresh.id)) {
			old.insertBefore(fresh, at);
			continue;
		}
		const next = at.nextSibling;
		renew(at, fresh);
		at = next;
	}
	while (at)
		skip();
}
function show(html) {
	const fresh = new DOMParser().parseFromString("<main>" + html + "</main>", "text/html");
	renewAll(main, document.adoptNode(fresh.querySelector("main")));
	say("live", "live");
}
/* Where no more streams are to be had. */
async function poll() {
	try {
		const page = await (await fetch("/")).text();
		show(new DOMParser().parseFromString(page, "text/html").querySelector("main").innerHTML);
		say("every 5 s", "live");
	} catch {
		say("the daemon does not answer; tried again every 5 s", "lost");
	}
	setTimeout(poll, 5000);
}
function listen() {
	const events = new EventSource("/live");
	events.addEventListener("page", (e) => show(e.data));
	events.addEventListener("error", () => {
		if (events.readyState === EventSource.CLOSED)
			poll();
		else
			say("the daemon does not answer; tried again every few seconds", "lost");
	});
}
listen();
