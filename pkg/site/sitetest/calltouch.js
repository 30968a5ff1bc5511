// The simulated real script of Calltouch: what comes after the stub. It gives the visit a
// session, drains the stub's queue, answers calltracking_params and takes attributes.
// window.simulatedCalltouch shows what happened: .session, and .sets, the texts in their order;
// .reported is done when the server has heard of the last one.
(function (w, d) {
  'use strict';
  var src = d.currentScript.src;
  var counter = /[?&]id=([^&]*)/.exec(src)[1];
  var report = /[?&]report=1/.test(src);
  var queue = (w.ct && w.ct.callbacks) || [];
  var sim = w.simulatedCalltouch = {sets: [], begin: begin};

  function attempt(f) {
    try {
      return f();
    } catch (e) {}
  }

  // remember writes the cookies of a session, where the browser lets it.
  function remember() {
    attempt(function () {
      d.cookie = '_ct_ids=' + encodeURIComponent(counter + ':10001:' + sim.session) + '; path=/';
      d.cookie = '_ct_session_id=' + sim.session + '; path=/';
    });
  }

  // begin begins a new session. Its number is above 2^32, as real ones are.
  function begin() {
    sim.session = 4794000000 + Math.floor(Math.random() * 1000000);
    remember();
  }

  var known = attempt(function () {
    return /(?:^|; )_ct_session_id=(\d+)/.exec(d.cookie)[1];
  });
  if (known) sim.session = Number(known);
  else begin();
  remember();

  w.ct = function (method, id) {
    if (method === 'calltracking_params' && id === counter) return {sessionId: sim.session, siteId: 10001};
  };
  for (var i = 0; i < queue.length; i++) w.ct.apply(w, queue[i]);

  // One argument, the JSON text of a flat object. It replaces what was set before.
  w.ct_set_attrs = function (text) {
    var attrs = JSON.parse(text);
    if (arguments.length !== 1 || typeof text !== 'string') throw new Error('ct_set_attrs: not one text');
    sim.sets.push(text);
    if (!report) return;
    sim.reported = w.fetch(src.replace(/init(-min)?\.js.*/, 'attributes'), {
      method: 'POST', keepalive: true, headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({session: String(sim.session), attrs: attrs})
    });
  };
})(window, document);
