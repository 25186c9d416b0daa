// Stands in the page itself: where a widget's script did not arrive, one sentence says so, and its text stays.
(() => {
  const SENTENCE =
    "A script of this page did not arrive: load the page again to play this recording, which stands below as text.";
  function say() {
    for (const host of document.querySelectorAll("[data-kubemini]:not([data-km-mounted])"))
      if (!host.querySelector(".km-missing"))
        host.prepend(
          Object.assign(document.createElement("p"), {
            className: "km-missing",
            textContent: SENTENCE,
          }),
        );
  }
  document.addEventListener("DOMContentLoaded", () => setTimeout(say)); // deferred scripts have run by then, or failed
})();
