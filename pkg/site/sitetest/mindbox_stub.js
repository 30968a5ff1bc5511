// Mindbox's stub: what is asked before the tracker comes waits in a queue.
(function (w) {
  'use strict';
  if (w.mindbox) return;
  w.mindbox = function () {
    w.mindbox.queue.push(arguments);
  };
  w.mindbox.queue = [];
  w.mindbox('create');
})(window);
