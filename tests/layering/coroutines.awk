# Prints "LINE message" for each statement that breaks a coroutine rule. A line that carries the comment
# "R5-ok" is accepted (a capture of trivially destructible values, say so there).
{
  line = $0
  if (line ~ /R5-ok/) line = ""
  sub(/\/\/.*/, "", line)
  gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
  lines[NR] = line
}

END {
  for (n = 1; n <= NR; n++) {
    if ((at = index(lines[n], "co_spawn(")) > 0) check_spawn(n, at + 8)
    if ((at = match(lines[n], /co_await[^_a-zA-Z0-9]/)) > 0) check_await(n, at)
  }
}

# From the parenthesis at (n, at) to its partner: is a lambda called on the spot?
function check_spawn(n, at,    first, depth, c, text) {
  first = n
  depth = 0
  text = ""
  for (; n <= NR; n++) {
    for (; at <= length(lines[n]); at++) {
      c = substr(lines[n], at, 1)
      if (c == "(") depth++
      if (c == ")") depth--
      if (c !~ /[ \t]/) text = text c
      if (depth == 0) {
        if (index(text, "}()") > 0) print first " a lambda called inside co_spawn: pass the lambda itself"
        return
      }
    }
    at = 1
  }
}

# From co_await to the end of the call's arguments (the statement, or the first body that opens).
function check_await(n, at,    first, text, capture) {
  first = n
  text = substr(lines[n], at)
  while (text !~ /[;{]/ && n < NR && n < first + 12) text = text " " lines[++n]
  if (match(text, /;/)) text = substr(text, 1, RSTART)
  if (text ~ /^[^{]*[(,][ \t]*\{/) {
    print first " a braced temporary inside co_await: name it first"
    return
  }
  if (match(text, /^[^{]*[(,][ \t]*\[[^]]*\][ \t]*[({]/)) {
    capture = substr(text, RSTART, RLENGTH)
    sub(/^.*[(,][ \t]*\[/, "", capture)
    sub(/\].*$/, "", capture)
    gsub(/[ \t]/, "", capture)
    if (by_value(capture)) print first " a lambda that captures by value inside co_await: name it first"
  }
}

function by_value(capture,    parts, count, i) {
  count = split(capture, parts, ",")
  for (i = 1; i <= count; i++)
    if (parts[i] !~ /^&/ && parts[i] != "this") return 1
  return 0
}
