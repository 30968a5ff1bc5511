// The demonstration page: it loads the simulated scripts late, as real ones come, and shows what
// happens between them. The site script does its work without any of this.
(function (w, d) {
  'use strict';
  var me = d.currentScript;
  var called = false;

  function find(id) {
    return d.getElementById(id);
  }

  // done shows a step as done, with what is to be seen of it.
  function done(id, text) {
    find(id).className = 'done';
    find(id).querySelector('code').textContent = text;
  }

  function load(src) {
    var script = d.createElement('script');
    script.src = src;
    d.head.appendChild(script);
  }

  function cookie(name) {
    var found = new RegExp('(?:^|; )' + name + '=([^;]*)').exec(d.cookie);
    return found && found[1];
  }

  // show looks at what the three scripts have done so far.
  function show() {
    var id = cookie('mindboxDeviceUUID'), calltouch = w.simulatedCalltouch, state = w.touchboxState;
    if (id && me.hasAttribute('data-tracker')) done('mindbox', id);
    if (calltouch) {
      done('calltouch', 'sessionId ' + calltouch.session);
      find('call').disabled = called;
    }
    if (state && state.session) done('script', 'ct_set_attrs(\'' + calltouch.sets[calltouch.sets.length - 1] + '\')');
  }

  function fail(text) {
    find('failed').hidden = false;
    find('failed').querySelector('span').textContent = text;
  }

  async function ask(url, options) {
    var answer = await w.fetch(url, options);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  // call lets Calltouch tell of a call of this session and waits until Mindbox has it.
  async function call() {
    called = true;
    show();
    try {
      await w.simulatedCalltouch.reported; // else the call could overtake the attributes
      var made = await ask('call', {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({session: String(w.simulatedCalltouch.session)})
      });
      find('ring').className = 'done';
      arrived(made.id);
    } catch (e) {
      fail(e.message);
    }
  }

  async function arrived(id) {
    try {
      var status = await ask('status?id=' + encodeURIComponent(id));
      if (!status.arrived) {
        w.setTimeout(arrived, 500, id);
        return;
      }
      done('arrived', status.operation + (status.device_uuid ? ' deviceUUID=' + status.device_uuid : ''));
      find(status.device_uuid ? 'dynamic' : 'static').hidden = false;
    } catch (e) {
      fail(e.message);
    }
  }

  // forget removes what the simulated scripts keep in the browser.
  function forget() {
    d.cookie.split('; ').forEach(function (one) {
      d.cookie = one.split('=')[0] + '=; path=/; max-age=0';
    });
    w.localStorage.clear();
    w.location.reload();
  }

  find('call').addEventListener('click', call);
  find('forget').addEventListener('click', forget);
  w.setInterval(show, 100);
  if (me.hasAttribute('data-tracker')) w.setTimeout(load, 400, 'sim/mindbox/tracker.js');
  w.setTimeout(load, 800, 'sim/calltouch/init.js?id=' + encodeURIComponent(me.getAttribute('data-counter')) + '&report=1');
})(window, document);
