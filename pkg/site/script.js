/*
 * Touchbox's site script: hands Mindbox's device id to Calltouch, as an attribute of the visit.
 *
 * It stores nothing, sends nothing elsewhere and throws nothing into the page. ES5, no eval, no
 * inline code: it works under a strict Content-Security-Policy. The server puts the site's
 * configuration in the place of TOUCHBOX_CONFIG at the end:
 *
 *   counter  Calltouch's counter (modId); none = look for it on the page
 *   attr     the name of the attribute
 *   consent  a global function that says yes (true), or the name of an event; none = not needed
 *
 * The same object is window.touchboxState, for whoever wants to see in the browser's console how
 * far the script is: .waits says for what it waits, .id what it handed over and .session for
 * which session of Calltouch.
 *
 * Times are counted in looks, not by the clock: a tab in the background, whose timers the browser
 * slows down, still gets all its looks.
 */
(function (w, d, c) {
  var KEY = 'mindboxDeviceUUID'; // of Mindbox's cookie and localStorage
  var SET = 'ct_set_attrs';      // Calltouch's function; it comes with the real script

  var attrs = {};                // all attributes set on this page, the site's own and ours
  var agreed = !c.consent;
  var patience = 8;              // looks (2 s) that the tracker has to answer, then its cookie is read
  var left;                      // looks left before the script gives up
  var timer, asked, answer, setter;

  // attempt is f(argument), or undefined where f throws or is no function.
  function attempt(f, argument) {
    try {
      return f(argument);
    } catch (e) {}
  }

  // valid is a well-formed id that is not all zero, else false.
  function valid(id) {
    return /^(?=.*[^0-])[\da-f]{8}(-[\da-f]{4}){4}[\da-f]{8}$/i.test(id) && id;
  }

  // Reading cookies and localStorage throws where the browser blocks them.
  function cookie(name) {
    return attempt(function () {
      return decodeURIComponent(d.cookie.match('(^|; ?)' + name + '=([^;]*)')[2]);
    });
  }

  // device is Mindbox's id: the tracker's answer where there is a tracker, else what an earlier
  // visit left. A tracker that only queues the question, because the rest of it never comes,
  // does not hold the id back for long. The real tracker may replace its stub: it is asked too.
  function device() {
    var tracker = w.mindbox;
    if (tracker && tracker != asked) {
      asked = tracker;
      attempt(function () {
        tracker('helpers.getDeviceUUID', function (id) {
          answer = valid(id) || answer;
        });
      });
    }
    return answer || (!asked || patience-- < 1) && (
      valid(cookie(KEY)) ||
      valid((attempt(JSON.parse, cookie('directCrm-session')) || 0).deviceGuid) ||
      valid(attempt(function () {
        return w.localStorage.getItem(KEY);
      }))
    );
  }

  // session is Calltouch's session. Without a counter in the configuration the one of Calltouch's
  // loader counts (init.js or init-min.js), else the one in its cookie.
  function session() {
    var loader = d.querySelector('script[src*="/init"][src*=".js?id="]') || 0;
    var counter = c.counter || (
      /\/init(-min)?\.js\?id=([\da-z]{8})\b/.exec(loader.src) ||
      /^()([\da-z]{8}):/.exec(cookie('_ct_ids'))
    )[2];
    return w.ct('calltracking_params', counter).sessionId;
  }

  // merging is ct_set_attrs that adds what it is given to what was set before on this page, so
  // that the site's own attributes and ours do not overwrite each other. What is not the text of
  // an object goes through untouched.
  function merging(f) {
    function set(text) {
      var given = attempt(JSON.parse, text), name;
      if (Object(given) !== given) return f.apply(this, arguments);
      for (name in given) attrs[name] = given[name];
      if (c.id) attrs[c.attr] = c.id;
      return f.call(this, JSON.stringify(attrs));
    }
    if (typeof f != 'function' || f.touchbox) return f;
    set.touchbox = 1;
    return set;
  }

  // step goes as far as it can and says what it waits for: '' when all is done.
  function step() {
    var id, now;
    // A declared function ct_set_attrs replaces the property below instead of assigning to it.
    if (w[SET] && !w[SET].touchbox) w[SET] = merging(w[SET]);
    if (!agreed && attempt(w[c.consent]) !== true) {
      // Taken back: the site's own calls do not carry the id any longer either.
      if (c.id) attrs[c.attr] = c.id = c.session = undefined;
      return 'consent';
    }
    id = device();
    // Calltouch's stub would queue the question, so it is asked when the real script has come.
    now = w[SET] && attempt(session);
    if (!now) return 'calltouch';
    if (now != c.session) {
      if (!id) return 'mindbox';
      c.id = id;
      c.session = now; // first: a call that throws is not repeated, it may have been heard
      left = 0;
      w[SET]('{}'); // merging adds the id
    }
    return '';
  }

  function look() {
    var wait;
    c.waits = attempt(step);
    clearTimeout(timer);
    // A person gives consent, maybe late: no bound. Then 240 looks, 60 s, until it gives up.
    // Where it did not, a new session may come at any time.
    wait = c.waits == 'consent' ? 1000 : left-- > 0 ? 250 : c.session && 10000;
    if (wait) timer = setTimeout(look, wait);
  }

  function start() {
    left = 240;
    look();
  }

  if (w.touchboxState) return; // the script is on the page twice
  w.touchboxState = c;

  // Sees the moment when Calltouch defines ct_set_attrs, so that not even a call that the site
  // makes at once is missed.
  setter = merging(w[SET]);
  attempt(function () {
    Object.defineProperty(w, SET, {
      configurable: true,
      enumerable: true,
      get: function () {
        return setter;
      },
      set: function (f) {
        setter = merging(f);
      }
    });
  });

  // A single-page site may begin a new session when it changes its route.
  attempt(function () {
    var history = w.history, push = history.pushState;
    history.pushState = function () {
      var result = push.apply(this, arguments);
      start();
      return result;
    };
  });
  w.addEventListener('popstate', start);
  // In the capture phase window hears an event of any element, bubbling or not.
  if (!agreed) {
    w.addEventListener(c.consent, function () {
      agreed = 1;
      start();
    }, true);
  }
  start();
})(window, document, TOUCHBOX_CONFIG);
