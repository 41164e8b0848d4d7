// Route: one pattern and method with its handler, limits and metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "aiserve/core/announcement.hpp"
#include "aiserve/core/metrics.hpp"
#include "aiserve/http/compression.hpp"
#include "aiserve/http/handler.hpp"
#include "aiserve/http/method.hpp"
#include "aiserve/http/server.hpp"
#include "http/places.hpp"

namespace aiserve::inline v0::http::detail {

// Requests by status, and their time from the end of the head to the answer.
class RouteMetrics {
 public:
  RouteMetrics(Metrics& metrics, std::string server, std::string route, std::string method);

  void count(int status, Duration took) noexcept;

 private:
  static constexpr int kFirst = 101;
  static constexpr int kLast = 599;

  Counter* counter(int status) noexcept;

  Metrics& metrics_;
  std::string server_;
  std::string route_;
  std::string method_;
  Histogram& seconds_;
  // Made at the first response with that status.
  std::array<std::atomic<Counter*>, kLast - kFirst + 1> by_status_{};
};

struct Route {
  Route(Metrics& registry, const std::string& server, Method its_method, std::string_view text,
        const RouteOptions& options = {})
      : method(its_method),
        pattern(text),
        title(std::string(name(its_method)) + " " + pattern),
        estimate(options.estimate),
        places(options.max_concurrent.value_or(Places::kNoLimit)),
        metrics(registry, server, options.label.empty() ? pattern : options.label,
                std::string(name(its_method))) {}

  bool plain() const noexcept { return std::holds_alternative<PlainHandler>(endpoint); }

  Method method;
  std::string pattern;
  std::string title;  // "GET /v1/{id}"
  std::vector<std::string> param_names;
  Endpoint endpoint;
  Duration timeout{};  // zero: none
  std::uint64_t max_body = 0;
  std::size_t stream_buffer = 0;
  Announcer announce;
  CompressionOptions compression;
  Hooks hooks;
  std::shared_ptr<const TypedOperation> operation;  // null: not typed
  DelayEstimate estimate;
  mutable Places places;
  mutable RouteMetrics metrics;
};

// ConfigError if the route has around hooks and a handler that none can go around.
void check_hooks(const Route& route);
// Puts the around hooks of its server and of its own around its handler.
void wrap(Route& route, const std::vector<AroundHook>& of_server);

}  // namespace aiserve::inline v0::http::detail
