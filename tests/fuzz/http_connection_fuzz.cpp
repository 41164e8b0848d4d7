// libFuzzer over the sans-I/O connection: the head gate, bodies, the ring, the output.
//
// The first byte picks the slicing and how suspended handlers end, the rest is what a peer sends.
// Promises held on every input: the outcome doesn't depend on the slicing; as many final responses
// as requests that were handled, answered early or refused; nothing after a refusal; nothing leaks.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "unit/http/connection_fixture.hpp"

namespace {

using aiserve::http::detail::Connection;
using aiserve::http::detail::ConnectionFixture;
using aiserve::http::detail::ConnectionLimits;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

ConnectionLimits small_limits() {
  ConnectionLimits limits;
  limits.head = {1024, 256, 16};
  limits.body_bytes = 4096;
  limits.out_bytes = 8192;
  limits.read_ahead = 4096;
  return limits;
}

// Ends suspended handlers and streams, and those that begin because of it.
void finish_all(ConnectionFixture& f, bool reverse) {
  for (;;) {
    f.read_sinks();
    if (f.end_streams()) continue;
    if (f.suspended.empty()) return;
    const auto it = reverse ? std::prev(f.suspended.end()) : f.suspended.begin();
    const std::string name = it->first;
    f.finish(name);
  }
}

struct Outcome {
  std::string output;
  std::vector<std::string> handled;
  int refusals;
};

Outcome run(std::string_view bytes, std::size_t slice, bool finish_late, bool reverse) {
  ConnectionFixture f(small_limits());
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, slice);
    bytes.remove_prefix(piece.size());
    f.feed(piece);
    if (!finish_late) finish_all(f, reverse);
  }
  finish_all(f, reverse);
  const std::size_t finals = f.statuses().size();
  // A request whose body has not come to its end may have been handled and not answered.
  const auto unanswered =
      std::count_if(f.sinks.begin(), f.sinks.end(), [](auto& x) { return x->exchange != nullptr; });
  const auto expected =
      f.handled.size() + static_cast<std::size_t>(f.refusals - f.cut_bodies + f.early - unanswered);
  promise(finals == expected, "one final response per request");
  promise(f.refusals <= 1, "at most one refusal");
  promise(f.refusals == 0 || f.closed(), "a refusal ends the connection");
  Outcome outcome{f.output, f.handled, f.refusals};
  f.connection.reset();
  promise(f.echo == nullptr || f.echo->ends.size() == 1, "a protocol ends once");
  f.release_all();
  promise(f.resources.exchanges.in_use() == 0, "every exchange is given back");
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool reverse = (data[0] & 0x80) != 0;
  const std::size_t slice = 1 + (data[0] & 0x3f);
  const Outcome whole = run(bytes, bytes.size() + 1, true, reverse);
  const Outcome sliced = run(bytes, slice, (data[0] & 0x40) != 0, reverse);
  promise(whole.handled == sliced.handled, "what is handled doesn't depend on the slicing");
  promise(whole.refusals == sliced.refusals, "what is refused doesn't depend on the slicing");
  return 0;
}
