// What a browser shows of the ticks. EventSource comes back by itself and names the last id it saw.
#pragma once

inline constexpr const char* kPage = R"html(<!doctype html>
<meta charset="utf-8">
<title>ticks</title>
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
</script>
)html";
