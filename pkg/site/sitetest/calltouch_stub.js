// Calltouch's stub: it defines ct at once, as a queue that returns undefined.
(function (w) {
  'use strict';
  if (w.ct) return;
  w.ct = function () {
    w.ct.callbacks.push(arguments);
  };
  w.ct.callbacks = [];
})(window);
