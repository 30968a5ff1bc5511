// The simulated tracker of Mindbox. It finds or makes the device's id, keeps it in two cookies and
// localStorage, and drains the stub's queue. tracker.js?uuid=ID gives the id ID, whatever it is,
// and keeps nothing.
(function (w, d) {
  'use strict';
  var given = /[?&]uuid=([^&]*)/.exec(d.currentScript.src);
  var queue = (w.mindbox && w.mindbox.queue) || [];
  var id = given ? given[1] : find() || make();
  if (!given) keep();

  function attempt(f) {
    try {
      return f();
    } catch (e) {}
  }

  function find() {
    return attempt(function () {
      return /(?:^|; )mindboxDeviceUUID=([^;]*)/.exec(d.cookie)[1];
    }) || attempt(function () {
      return w.localStorage.getItem('mindboxDeviceUUID');
    });
  }

  function make() {
    var bytes = w.crypto.getRandomValues(new Uint8Array(16)), text = '';
    bytes[6] = bytes[6] & 15 | 64;
    bytes[8] = bytes[8] & 63 | 128;
    for (var i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
      text += (bytes[i] + 256).toString(16).slice(1);
    }
    return text;
  }

  function keep() {
    attempt(function () {
      d.cookie = 'mindboxDeviceUUID=' + id + '; path=/';
      d.cookie = 'directCrm-session=' + encodeURIComponent(JSON.stringify({deviceGuid: id})) + '; path=/';
    });
    attempt(function () {
      w.localStorage.setItem('mindboxDeviceUUID', id);
    });
  }

  // The real tracker answers some time after it was asked, never within the call.
  w.mindbox = function (method, callback) {
    if (method === 'helpers.getDeviceUUID') w.Promise.resolve(id).then(callback);
  };
  for (var i = 0; i < queue.length; i++) w.mindbox.apply(w, queue[i]);
})(window, document);
