#include "http/slow_request.hpp"

#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "http/exchange.hpp"
#include "http/response_writer.hpp"
#include "http/route.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

std::int64_t ms(Duration time) noexcept { return time / std::chrono::milliseconds(1); }

}  // namespace

SlowRequest::SlowRequest(Exchange& exchange)
    : route_(exchange.route),
      status_(exchange.status),
      streamed_(ResponseWriter::stream(exchange.response) != nullptr),
      times_(exchange.times) {
  if (exchange.handler_running) {
    context_ = exchange.context;
  } else {
    context_ = std::move(exchange.context);
  }
}

void SlowRequest::tell(Telemetry& telemetry, Duration limit, TimePoint now,
                       bool sent) const noexcept {
  if (!took(limit, now) || !context_) return;
  // A request that was refused before its body had come has spent all its time on being read.
  const bool handled = times_.complete != TimePoint{};
  const TimePoint complete = handled ? times_.complete : times_.answered;
  telemetry.log().warn(*context_, "http: a slow request",
                       {{"route", route_ == nullptr ? std::string_view() : route_->pattern},
                        {"method", route_ == nullptr ? std::string_view() : name(route_->method)},
                        {"status", status_},
                        {"read_ms", ms(complete - times_.first_byte)},
                        {"handle_ms", ms(times_.answered - complete)},
                        {"write_ms", ms(end(now) - times_.answered)},
                        {"sent", sent}});
}

}  // namespace aiserve::inline v0::http::detail
