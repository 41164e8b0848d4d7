#include "aiserve/http/websocket_options.hpp"

#include "aiserve/core/error.hpp"
#include "http/char_class.hpp"
#include "http/websocket_handshake.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw ConfigError(std::string("websocket: ") + what);
}

bool is_subprotocol(const std::string& name) {
  for (const char c : name) {
    if (!is(c, kToken)) return false;
  }
  return !name.empty();
}

bool is_time(std::chrono::milliseconds value) {
  return value.count() >= 1 && value <= std::chrono::hours(24);
}

void check(const DeflateOptions& options) {
  require(options.level >= 1 && options.level <= 9, "deflate.level must be 1 to 9");
  require(options.window_bits >= 9 && options.window_bits <= 15,
          "deflate.window_bits must be 9 to 15");
  require(options.min_size >= 1, "deflate.min_size must be at least 1");
}

}  // namespace

void check(const WebSocketOptions& options) {
  constexpr std::size_t kGib = std::size_t{1} << 30;
  require(options.max_message >= 1 && options.max_message <= kGib,
          "max_message must be 1 byte to 1 GiB");
  require(options.max_queue >= 1024 && options.max_queue <= kGib,
          "max_queue must be 1 KiB to 1 GiB");
  require(options.max_unread >= 1 && options.max_unread <= kGib,
          "max_unread must be 1 byte to 1 GiB");
  require(is_time(options.message_timeout), "message_timeout must be 1 ms to one day");
  require(is_time(options.ping_interval), "ping_interval must be 1 ms to one day");
  require(is_time(options.idle_timeout), "idle_timeout must be 1 ms to one day");
  require(is_time(options.close_timeout), "close_timeout must be 1 ms to one day");
  require(options.idle_timeout > options.ping_interval,
          "idle_timeout must be longer than ping_interval");
  for (const std::string& name : options.subprotocols) {
    require(is_subprotocol(name), "subprotocols must be tokens");
  }
  for (const std::string& origin : options.origins) {
    require(origin == "*" || origin == "null" || origin.find("://") != std::string::npos,
            "origins must be \"scheme://host[:port]\", \"null\" or \"*\"");
    require(origin.find("://") == std::string::npos ||
                origin.find('/', origin.find("://") + 3) == std::string::npos,
            "origins must not have a path");
  }
  check(options.deflate);
}

}  // namespace aiserve::inline v0::http::detail
