/// The script that refreshes the status page: it fetches the page again and changes only the nodes that differ, so that
/// focus, scroll position and a screen reader's position are kept.
public enum StatusScript {
  /// The script.
  public static let javaScript = """
    "use strict";
    const interval = 5000, patience = 10000;
    const live = document.getElementById("live"), lost = document.getElementById("lost");
    let timer, lastAnswer = new Date();

    function change(old, fresh) {
      if (old.nodeName !== fresh.nodeName) return old.replaceWith(document.importNode(fresh, true));
      if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== fresh.data) old.data = fresh.data;
        return;
      }
      for (const { name, value } of fresh.attributes) {
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
      }
      for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
      const before = [...old.childNodes], after = [...fresh.childNodes];
      after.forEach((node, index) => {
        if (index < before.length) change(before[index], node);
        else old.append(document.importNode(node, true));
      });
      before.slice(after.length).forEach((node) => node.remove());
    }

    function show(page) {
      for (const part of ["main", "header h1 + p", "header time"]) {
        const old = document.querySelector(part), fresh = page.querySelector(part);
        if (!old || !fresh) throw new Error("the answer is another page");
        change(old, fresh);
      }
      document.title = page.title;
    }

    async function look() {
      try {
        const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(patience) });
        if (!answer.ok) throw new Error("it answered " + answer.status);
        show(new DOMParser().parseFromString(await answer.text(), "text/html"));
        lastAnswer = new Date();
        lost.hidden = true;
        document.body.classList.remove("stale");
      } catch (error) {
        if (lost.hidden) {
          lost.textContent = "Connection lost: what is shown is from " + lastAnswer.toLocaleTimeString()
            + ". The sidecar is asked again every " + interval / 1000 + " seconds.";
          lost.hidden = false;
          document.body.classList.add("stale");
        }
      }
      plan();
    }

    // A hidden tab does not poll.
    function plan() {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(look, interval);
    }

    document.addEventListener("visibilitychange", () => {
      clearTimeout(timer);
      if (!document.hidden) look();
    });
    live.textContent = "Live.";
    live.className = "on";
    plan();

    """
}
