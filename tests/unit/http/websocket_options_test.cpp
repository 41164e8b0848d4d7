#include "aiserve/http/websocket_options.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"
#include "http/websocket_handshake.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;

// Name of the option that is refused; empty: none.
std::string refused(const WebSocketOptions& options) {
  try {
    check(options);
    return "";
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    return text.substr(11, text.find(' ', 11) - 11);
  }
}

TEST_CASE("the defaults hold, and every option out of range is named") {
  CHECK(refused({}).empty());
  CHECK(refused({.max_message = 0}) == "max_message");
  CHECK(refused({.max_queue = 1023}) == "max_queue");
  CHECK(refused({.max_unread = 0}) == "max_unread");
  CHECK(refused({.message_timeout = 0ms}) == "message_timeout");
  CHECK(refused({.ping_interval = 0ms}) == "ping_interval");
  CHECK(refused({.idle_timeout = 25h}) == "idle_timeout");
  CHECK(refused({.idle_timeout = 20s}) == "idle_timeout");
  CHECK(refused({.close_timeout = -1ms}) == "close_timeout");
  CHECK(refused({.subprotocols = {"v1", ""}}) == "subprotocols");
  CHECK(refused({.subprotocols = {"a b"}}) == "subprotocols");
  CHECK(refused({.origins = {"app.example"}}) == "origins");
  CHECK(refused({.origins = {"https://app.example/"}}) == "origins");
  CHECK(refused({.origins = {"https://app.example:8443", "*", "null"}}).empty());
  CHECK(refused({.deflate = {.level = 0}}) == "deflate.level");
  CHECK(refused({.deflate = {.min_size = 0}}) == "deflate.min_size");
  CHECK(refused({.deflate = {.window_bits = 8}}) == "deflate.window_bits");
}

}  // namespace
}  // namespace aiserve::http::detail
