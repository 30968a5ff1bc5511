// The console's one script. It improves what works without it and knows nothing of events.
"use strict";
(() => {
	// The only way from the server's text to nodes, and the only policy that the page allows.
	const policy = window.trustedTypes ? trustedTypes.createPolicy("touchbox", { createHTML: (s) => s }) : { createHTML: (s) => s };
	const nodes = (html, inside) => {
		const range = document.createRange();
		range.selectNodeContents(inside); // inside a table a row stays a row
		return range.createContextualFragment(policy.createHTML(html));
	};

	// A sign-in link has its key behind #, which no server and no log sees.
	const form = document.querySelector("[data-signin]");
	if (form && location.hash.length > 1) {
		form.elements.key.value = location.hash.slice(1);
		history.replaceState(null, "", location.pathname + location.search);
		form.submit();
	}

	// One reads: nothing moves under the hand or the eye.
	const reading = (region) => {
		const selection = getSelection();
		return document.hidden || (region.contains(document.activeElement) && document.activeElement !== document.body) ||
			(selection && !selection.isCollapsed && region.contains(selection.anchorNode)) || region.querySelector("details.more[open]");
	};

	document.querySelectorAll("[data-refresh]").forEach((region) => {
		let tag = "";
		const look = async () => {
			if (!reading(region) && !region.hasAttribute("data-paused")) {
				try {
					const answer = await fetch(location.href, { headers: { "X-Part": region.id, ...(tag && { "If-None-Match": tag }) } });
					if (answer.status === 401) { location.reload(); return; }
					if (answer.status === 200 && !reading(region)) {
						tag = answer.headers.get("ETag") || "";
						region.replaceChildren(nodes(await answer.text(), region));
						improve(region);
					}
				} catch (_) { /* the server is away for a moment: the next look asks again */ }
			}
			setTimeout(look, Number(region.dataset.refresh) * 1000);
		};
		setTimeout(look, Number(region.dataset.refresh) * 1000);
	});

	// Buttons that need this script show themselves, and those that ask for a count wait for it.
	const improve = (root) => {
		root.querySelectorAll("[data-copy]").forEach((button) => {
			button.hidden = false;
			button.addEventListener("click", () => navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent));
		});
		root.querySelectorAll("[data-count]").forEach((input) => {
			const button = input.form.querySelector("button");
			const check = () => { button.disabled = input.value.replace(/\s/g, "") !== input.dataset.count; };
			input.addEventListener("input", check);
			check();
		});
		root.querySelectorAll("[data-gone]").forEach((box) => setTimeout(() => box.remove(), Number(box.dataset.gone) * 1000));
	};
	improve(document);

	// The live tail: one stream a tab, closed while nobody looks.
	const tail = document.querySelector("[data-stream]");
	if (tail) {
		const button = document.querySelector("[data-pause]"), most = 200;
		let source = null, paused = false;
		const open = () => {
			if (source || paused || document.hidden) { return; }
			source = new EventSource(tail.dataset.stream);
			source.addEventListener("row", (e) => {
				const row = nodes(e.data, tail), id = row.firstElementChild.id;
				const before = document.getElementById(id);
				if (before) { before.replaceWith(row); } else { tail.prepend(row); }
				while (tail.children.length > most) { tail.lastElementChild.remove(); }
			});
		};
		const close = () => { if (source) { source.close(); source = null; } };
		document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
		if (button) {
			button.hidden = false;
			button.addEventListener("click", () => {
				paused = !paused;
				button.setAttribute("aria-pressed", String(paused));
				if (paused) { close(); } else { open(); }
			});
		}
		open();
	}

	// A job says how far it is, by a stream that ends with it. What cannot be shown just now is shown when it can.
	document.querySelectorAll("[data-progress]").forEach((region) => {
		let source = null, next = null, over = false;
		const show = () => {
			if (next === null || reading(region)) { return; }
			region.replaceChildren(nodes(next, region));
			improve(region);
			next = null;
		};
		const open = () => {
			if (source || over || document.hidden) { return; }
			source = new EventSource(region.dataset.progress);
			source.addEventListener("part", (e) => { next = e.data; show(); });
			source.addEventListener("end", () => { over = true; close(); });
		};
		const close = () => { if (source) { source.close(); source = null; } };
		document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
		setInterval(show, 1000);
		open();
	});

	// Keys: / finds, j and k go through a list.
	document.addEventListener("keydown", (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) { return; }
		const rows = [...document.querySelectorAll("tbody tr th a, tbody tr td:first-child a")];
		const step = { j: 1, k: -1 }[e.key];
		if (e.key === "/" && document.getElementById("find")) {
			e.preventDefault();
			document.getElementById("find").focus();
		} else if (step && rows.length) {
			rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement) + step))].focus();
		}
	});
})();
