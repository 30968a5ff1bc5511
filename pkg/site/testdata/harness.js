// What a test page has besides its own scripts: a clock that the test winds, and a way to load
// scripts in an order of the test's choice. Only the site script uses timers on these pages.
(function (w, d) {
  'use strict';
  var timers = [];
  var clock = w.clock = {now: 0};

  w.setTimeout = function (f, ms) {
    var timer = {at: clock.now + ms, f: f};
    timers.push(timer);
    return timer;
  };
  w.clearTimeout = function (timer) {
    timers = timers.filter(function (t) {
      return t !== timer;
    });
  };

  // fire winds the clock to the next timer and lets promises settle; false: none is left by end.
  async function fire(end) {
    var next = timers.reduce(function (a, b) {
      return b.at < a.at ? b : a;
    }, {at: Infinity});
    if (next.at > end) return false;
    w.clearTimeout(next);
    clock.now = next.at;
    next.f();
    await null;
    return true;
  }

  // pass lets that many ms pass.
  clock.pass = async function (ms) {
    var end = clock.now + ms;
    while (await fire(end));
    clock.now = end;
  };

  // until lets time pass until f holds or no timer is left, at most an hour, and is how many ms
  // it took.
  clock.until = async function (f) {
    var start = clock.now;
    while (!f() && await fire(start + 3600000));
    return clock.now - start;
  };

  // The browser itself tells of some violations only where nobody catches what they throw.
  d.addEventListener('securitypolicyviolation', function (e) {
    w.refused = e.blockedURI;
    console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI);
  });

  // load loads a script and is done when it has run.
  w.load = function (src) {
    return new Promise(function (resolve, reject) {
      var script = d.createElement('script');
      script.src = src;
      script.onload = function () {
        resolve();
      };
      script.onerror = reject;
      d.head.appendChild(script);
    });
  };

  // sets is what Calltouch was told, in order.
  w.sets = function () {
    return w.simulatedCalltouch ? w.simulatedCalltouch.sets : [];
  };
})(window, document);
