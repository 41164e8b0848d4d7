#include "http/replay_buffer.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::vector<Bytes>& wires) {
  Texts found;
  found.reserve(wires.size());
  for (const Bytes& wire : wires) found.push_back(wire.to_string());
  return found;
}

void add(ReplayBuffer& buffer, const std::string& text) {
  buffer.add(buffer.next_id(), Bytes::copy(std::string_view(text)));
}

TEST_CASE("what came after an id is found in its order") {
  ReplayBuffer buffer(10, 1000, "e");
  for (const char* const text : {"a", "b", "c"}) add(buffer, text);
  CHECK(buffer.last_id() == "e-3");
  CHECK(texts(buffer.after("e-1").value()) == Texts{"b", "c"});
  CHECK(buffer.after("e-3").value().empty());
  CHECK_FALSE(buffer.after("e-4").has_value());
  CHECK_FALSE(buffer.after("f-1").has_value());
  CHECK(texts(buffer.newest(2)) == Texts{"b", "c"});
  CHECK(buffer.newest(99).size() == 3);
}

TEST_CASE("before the first event its id is known, and nothing was missed") {
  ReplayBuffer buffer(10, 1000, "e");
  CHECK(buffer.last_id() == "e-0");
  CHECK(buffer.after("e-0").value().empty());
  add(buffer, "a");
  CHECK_FALSE(buffer.after("e-0").has_value());  // it might have been another's start
}

TEST_CASE("the oldest go beyond the number and beyond the bytes") {
  ReplayBuffer few(2, 1000, "e");
  for (const char* const text : {"a", "b", "c"}) add(few, text);
  CHECK(texts(few.newest(9)) == Texts{"b", "c"});
  CHECK_FALSE(few.after("e-1").has_value());

  ReplayBuffer small(10, 5, "e");
  for (const char* const text : {"aaa", "bb", "ccc", "too large"}) add(small, text);
  CHECK(small.newest(9).empty());
  CHECK(small.last_id() == "e-4");
  CHECK(small.after("e-4").value().empty());
  CHECK_FALSE(small.after("e-3").has_value());

  ReplayBuffer none(0, 0, "e");
  add(none, "a");
  CHECK(none.after("e-1").value().empty());
}

TEST_CASE("ids of the host's own are kept, used twice they mean their last use") {
  ReplayBuffer buffer(10, 1000, "e");
  for (const char* const id : {"x", "y", "x", "z"}) buffer.add(id, Bytes::literal(id));
  CHECK(texts(buffer.after("x").value()) == Texts{"z"});
  CHECK(texts(buffer.after("y").value()) == Texts{"x", "z"});
}

}  // namespace
}  // namespace aiserve::http::detail
