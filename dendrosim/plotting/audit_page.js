"use strict";
(() => {
  const data = JSON.parse(document.getElementById("numbers").textContent);

  const quoted = (value) => {
    const text = value === true ? "True" : value === false ? "False" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (table) => [table.columns, ...table.rows].map((row) => row.map(quoted).join(",") + "\r\n").join("");

  const save = (name, text, type) => {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };

  for (const button of document.querySelectorAll("button[data-save]")) {
    button.addEventListener("click", () => {
      const what = button.dataset.save;
      if (what === "json") save("audit.json", JSON.stringify(data), "application/json");
      else save(what === "runs" ? "audit.csv" : `audit_${what}.csv`, csv(data[what]), "text/csv");
    });
  }

  const folds = [...document.querySelectorAll("details")];
  const toggle = document.querySelector("button[data-fold]");
  toggle.addEventListener("click", () => {
    const open = toggle.dataset.fold === "open";
    for (const fold of folds) fold.open = open;
    toggle.dataset.fold = open ? "close" : "open";
    toggle.textContent = open ? "Close all sections" : "Open all sections";
  });

  let before = [];
  addEventListener("beforeprint", () => {
    before = folds.filter((fold) => !fold.open);
    for (const fold of before) fold.open = true;
  });
  addEventListener("afterprint", () => {
    for (const fold of before) fold.open = false;
  });

  for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
})();
