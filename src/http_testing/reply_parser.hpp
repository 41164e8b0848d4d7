// Reads one response out of the bytes that have come so far.
#pragma once

#include <string>
#include <string_view>

#include "aiserve/http_testing/test_client.hpp"

namespace aiserve::inline v0::http::detail {

struct ParsedReply {
  TestClient::Reply reply{};
  bool head = false;      // it is complete
  bool complete = false;  // all of it is
};

// `ended`: nothing will follow. `bodiless`: the answer to HEAD.
ParsedReply parse_reply(std::string_view bytes, bool ended, bool bodiless);

// The event at the front of the text of an event stream, which is removed; comments are dropped.
std::optional<TestClient::Event> take_event(std::string& text);

}  // namespace aiserve::inline v0::http::detail
