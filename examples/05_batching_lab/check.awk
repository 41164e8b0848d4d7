# Whether the numbers that the lab has printed add up.
function value(name,  i) {
  for (i = 1; i < NF; i++) if ($i == name) return $(i + 1) + 0
  fail(name " is missing in: " $0)
}
function fail(why) { print "FAILED: " why; failed = 1 }

/ of 32, knee/ { halved = 1 }
/^ .*: asked / {
  lines++
  asked += value("asked"); answered += value("answered")
  refused += value("refused"); failed_requests += value("failed")
  if (value("batch") > widest) widest = value("batch")
  if (value("p50") > value("p99")) fail("p50 above p99: " $0)
  if (value("answered") > 0 && (value("a") + value("b") < 99 || value("a") + value("b") > 101))
    fail("shares: " $0)
}
/^total:/ {
  total = 1
  if (value("asked") != asked || value("answered") != answered) fail("lines and total differ: " $0)
  if (asked != answered + refused + failed_requests) fail("requests are missing: " $0)
  if (value("computed") != answered) fail("not every computed row was answered once: " $0)
  if (answered < 100) fail("too few answers: " $0)
}
END {
  if (lines != 3) fail(lines " lines, not one per second and the rest")
  if (widest <= 1) fail("nothing was batched")
  if (!halved) fail("the key had no effect")
  if (!total) fail("no total")
  exit failed
}
