#include "http/client/client_checks.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kHour = std::chrono::hours(1);
constexpr milliseconds kDay = std::chrono::hours(24);

[[noreturn]] void refuse(const std::string& what) { throw ConfigError("http client: " + what); }

template <class T>
void in_range(std::string_view option, T value, T least, T most) {
  if (value >= least && value <= most) return;  // false for NaN
  refuse(std::string(option) + " is out of its range");
}

void in_time(std::string_view option, milliseconds value, milliseconds most) {
  in_range(option, value, milliseconds(1), most);
}

void check_text(std::string_view option, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return is(c, kField) && c != '"' && c != '\\'; });
  if (!plain) refuse(std::string(option) + " must not hold quotes nor control characters");
}

void check_retry(const ClientRetryOptions& retry) {
  in_range("retry.attempts", retry.attempts, 1, 10);
  in_range("retry.budget", retry.budget, 0.0, 1.0);
  in_range("retry.burst", retry.burst, 0.0, 1000.0);
  in_time("retry.longest_pause", retry.longest_pause, kHour);
  in_time("retry.first_pause", retry.first_pause, retry.longest_pause);
  in_range("retry.longest_wait", retry.longest_wait, milliseconds(0), kHour);
}

void check_breaker(const ClientBreakerOptions& breaker) {
  in_range("breaker.window", breaker.window, 1U, 64U);
  in_range("breaker.failures", breaker.failures, 0U, breaker.window);
  in_time("breaker.longest_pause", breaker.longest_pause, kHour);
  in_time("breaker.first_pause", breaker.first_pause, breaker.longest_pause);
}

}  // namespace

ClientOptions checked(ClientOptions options) {
  if (options.name.empty()) refuse("name is empty");
  check_text("name", options.name);
  check_text("user_agent", options.user_agent);
  in_range<std::size_t>("max_connections", options.max_connections, 1, 10'000);
  in_range<std::size_t>("max_waiting", options.max_waiting, 0, 100'000);
  in_range<std::size_t>("max_origins", options.max_origins, 1, 100'000);
  in_range<std::size_t>("max_lookups", options.max_lookups, 0, 100'000);
  in_range("keep_addresses", options.keep_addresses, milliseconds(0), kHour);
  in_time("idle_timeout", options.idle_timeout, kDay);
  in_time("connect_timeout", options.connect_timeout, kHour);
  in_time("handshake_timeout", options.handshake_timeout, kHour);
  in_time("first_byte_timeout", options.first_byte_timeout, kDay);
  in_time("stall_timeout", options.stall_timeout, kDay);
  in_time("timeout", options.timeout, kDay);
  in_range<std::size_t>("max_head", options.max_head, 1024, 1024 * 1024);
  in_range<std::size_t>("max_headers", options.max_headers, 1, 1000);
  in_range("max_redirects", options.max_redirects, 0, 20);
  check_retry(options.retry);
  check_breaker(options.breaker);
  return options;
}

}  // namespace aiserve::inline v0::http::detail
