(function () {
  "use strict";
  var form = document.querySelector(".filter");
  var find = document.getElementById("find");
  var chosen = document.getElementById("document");
  var kind = document.getElementById("kind");
  var found = document.getElementById("found");
  var sections = Array.prototype.slice.call(document.querySelectorAll("section[data-document]"));
  var rows = Array.prototype.slice.call(document.querySelectorAll("tr.entry"));
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  form.hidden = false;
  function apply() {
    var words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    rows.forEach(function (row, index) {
      var document_ = row.closest("section").dataset.document;
      var fits = (!chosen.value || document_ === chosen.value) && (!kind.value || row.dataset.kind === kind.value) &&
        words.every(function (word) { return texts[index].indexOf(word) >= 0; });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    sections.forEach(function (section) { section.hidden = !section.querySelector("tr.entry:not([hidden])"); });
    found.textContent = "显示 " + shown + " / " + rows.length + " 条";
  }
  [find, chosen, kind].forEach(function (input) { input.addEventListener("input", apply); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  apply();
})();
