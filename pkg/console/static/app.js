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

	// On a phone a row stands as a list of its own (see the style), in which each cell has the name of its column before it.
	const label = (rows, table) => {
		const names = [...table.querySelectorAll("thead th")].map((th) => th.textContent);
		rows.forEach((row) => [...row.cells].forEach((cell, i) => {
			if (cell.tagName === "TD" && cell.colSpan === 1 && names[i]) { cell.dataset.name = names[i]; }
		}));
	};

	// Buttons that need this script show themselves, and those that ask for a count wait for it.
	const improve = (root) => {
		root.querySelectorAll("table").forEach((table) => {
			label(table.querySelectorAll("tbody tr, tfoot tr"), table);
			table.classList.add("named");
		});
		root.querySelectorAll("[data-copy]").forEach((button) => {
			button.hidden = false;
			button.addEventListener("click", async () => {
				await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
				const before = button.textContent;
				button.textContent = button.dataset.copy;
				setTimeout(() => { button.textContent = before; }, 2000);
			});
		});
		root.querySelectorAll("[data-count]").forEach((input) => {
			const button = input.form.querySelector("button");
			const check = () => { button.disabled = input.value.replace(/\s/g, "") !== input.dataset.count; };
			input.addEventListener("input", check);
			check();
		});
	};
	improve(document);

	// stream keeps one stream open while somebody looks. One that the server ends is asked for anew by the browser itself, one that it
	// refuses is not: it may be restarting.
	// Of too many pages that follow what comes, the last hears why nothing does.
	const stream = (path, region, on, wanted) => {
		let source = null, again = 0;
		const why = document.createElement("p");
		why.className = "box wait";
		why.setAttribute("role", "status");
		const full = (e) => { why.textContent = e.data; (region.closest(".scroll") || region).before(why); };
		const close = () => { clearTimeout(again); if (source) { source.close(); source = null; } };
		const open = () => {
			if (source || document.hidden || !wanted()) { return; }
			source = new EventSource(path);
			source.addEventListener("error", () => {
				if (source && source.readyState === EventSource.CLOSED) { close(); again = setTimeout(open, 3000); }
			});
			source.addEventListener("full", full);
			source.addEventListener("on", () => why.remove());
			Object.entries(on).forEach(([name, act]) => source.addEventListener(name, act));
		};
		document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
		open();
		return { open, close };
	};

	// The live tail. What came while nobody looked, or between two streams, is read when one begins.
	const tail = document.querySelector("[data-stream]");
	if (tail) {
		const button = document.querySelector("[data-pause]"), state = document.querySelector("[data-state]"), most = 200;
		let paused = false, late = 0;
		const say = (word) => { clearTimeout(late); late = 0; if (state) { state.textContent = state.dataset[word]; state.className = word; } };
		const live = stream(tail.dataset.stream, tail, {
			open: async () => {
				say("live");
				const answer = await fetch(location.href, { headers: { "X-Part": tail.id } }).catch(() => null);
				if (answer && answer.status === 200 && !reading(tail)) {
					tail.replaceChildren(nodes(await answer.text(), tail));
					label([...tail.rows], tail.parentElement);
				}
			},
			full: () => say("broken"),
			error: () => { late = late || setTimeout(say, 5000, "broken"); },
			row: (e) => {
				const row = nodes(e.data, tail), id = row.firstElementChild.id, before = document.getElementById(id);
				label([row.firstElementChild], tail.parentElement);
				tail.querySelectorAll("[colspan]").forEach((none) => none.parentElement.remove());
				if (before) { before.replaceWith(row); } else { row.firstElementChild.classList.add("fresh"); tail.prepend(row); }
				while (tail.children.length > most) { tail.lastElementChild.remove(); }
			},
		}, () => !paused);
		button.hidden = false;
		button.addEventListener("click", () => {
			paused = !paused;
			button.setAttribute("aria-pressed", String(paused));
			if (paused) { live.close(); say("still"); } else { live.open(); }
		});
	}

	// A job says how far it is, by a stream that ends with it. What cannot be shown just now is shown when it can.
	document.querySelectorAll("[data-progress]").forEach((region) => {
		let next = null, over = false;
		const show = () => {
			if (next === null || reading(region)) { return; }
			region.replaceChildren(nodes(next, region));
			improve(region);
			next = null;
		};
		const progress = stream(region.dataset.progress, region, {
			part: (e) => { next = e.data; show(); },
			end: () => { over = true; progress.close(); },
		}, () => !over);
		setInterval(show, 1000);
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
