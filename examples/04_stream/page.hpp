// What a browser shows of the ticks. EventSource comes back by itself and names the last id it saw;
// a WebSocket does not, and takes numbers.
#pragma once

inline constexpr const char* kPage = R"html(<!doctype html>
<meta charset="utf-8">
<title>ticks</title>
<form id="ask"><input id="number" inputmode="decimal" aria-label="a number" placeholder="a number">
<button>double it</button> <output id="doubled"></output></form>
<p>by WebSocket: <code id="live"></code></p>
<pre id="ticks"></pre>
<script>
  const lines = [];
  const show = (line) => {
    lines.push(line);
    document.getElementById("ticks").textContent = lines.slice(-20).join("\n");
  };
  const ticks = new EventSource("/v1/ticks");
  ticks.addEventListener("tick", (event) => show(event.lastEventId + " " + event.data));
  ticks.addEventListener("reset", () => show("(some are missing)"));

  const live = new WebSocket(`ws://${location.host}/v1/live`);
  live.onmessage = (event) => {
    const said = JSON.parse(event.data);
    if ("doubled" in said) document.getElementById("doubled").textContent = said.doubled ?? "no number";
    else document.getElementById("live").textContent = event.data;
  };
  document.getElementById("ask").onsubmit = (event) => {
    event.preventDefault();
    live.send(document.getElementById("number").value);
  };
</script>
)html";
