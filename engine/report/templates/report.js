(function () {
  "use strict";
  var form = document.querySelector(".filter");
  var find = document.getElementById("find");
  var status = document.getElementById("status");
  var found = document.getElementById("found");
  var records = Array.prototype.slice.call(document.querySelectorAll(".record"));
  var others = document.querySelector(".others");
  var texts = null;
  form.hidden = false;
  function apply() {
    var words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) {
      texts = records.map(function (record) { return record.textContent.toLowerCase(); });
    }
    if (others && (words.length || status.value)) { others.open = true; }
    var shown = 0;
    records.forEach(function (record, index) {
      var fits = (!status.value || record.dataset.status === status.value) &&
        words.every(function (word) { return texts[index].indexOf(word) >= 0; });
      record.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    found.textContent = "显示 " + shown + " / " + records.length + " 条";
  }
  function fold(open) {
    if (others && open) { others.open = true; }
    records.forEach(function (record) { if (!record.hidden) { record.open = open; } });
  }
  function reveal() {
    var target = /^#r\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (target) {
      if (others && others.contains(target)) { others.open = true; }
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  }
  find.addEventListener("input", apply);
  status.addEventListener("change", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  document.getElementById("unfold").addEventListener("click", function () { fold(true); });
  document.getElementById("fold").addEventListener("click", function () { fold(false); });
  window.addEventListener("hashchange", reveal);
  reveal();
})();
