#include "routes.hpp"

#include <aiserve/http/json.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include "fashion_api.hpp"
#include "values.hpp"

namespace service {

using aiserve::Async;
using aiserve::Bytes;
using aiserve::Context;
using aiserve::Errc;
using aiserve::Error;
using aiserve::Inference;
using aiserve::Result;
using aiserve::Tensor;
using aiserve::TimePoint;
namespace http = aiserve::http;

namespace {

constexpr std::size_t kRecord = 1 + fashion::kPixels;
constexpr long long kMaxRecords = 1'000;

Async<http::Response> classify(Parts parts, const Context& ctx, const http::Request& request) {
  const aiserve::Clock& clock = parts.runtime.clock();
  const TimePoint arrived = clock.now();
  if (!known_media_type(request)) {
    co_return http::problem(ctx, 415, "send application/octet-stream or application/json");
  }
  const Result<Tensor> image = decode_image(request);
  if (!image) co_return image.error();

  const TimePoint asked = clock.now();
  const Result<Inference> answer = co_await parts.batcher.infer_detailed(ctx, *image);
  if (!answer) co_return answer.error();
  const TimePoint answered = clock.now();
  parts.recorder.record(answer->ride(), answered - asked);
  Result<std::string> text = encode_answer(ctx, *answer, answered - arrived);
  if (!text) co_return text.error();
  co_return http::json(std::move(*text));
}

/// A query parameter or a JSON member that must be an integer in a range.
Error out_of_range(std::string_view name, long long low, long long high) {
  return Error(Errc::invalid_argument, std::string(name) + ": must be an integer from " +
                                           std::to_string(low) + " to " + std::to_string(high));
}

Result<std::size_t> number_in_query(const http::Request& request, std::string_view name,
                                    long long fallback, long long low, long long high) {
  const auto text = request.query(name);
  const auto number = text ? parse_integer(*text) : fallback;
  if (!number || *number < low || *number > high) return out_of_range(name, low, high);
  return static_cast<std::size_t>(*number);
}

Result<std::size_t> number_in_body(const nlohmann::json& body, const char* name, std::size_t high) {
  const auto found = body.find(name);
  const bool good = found != body.end() && found->is_number_unsigned() &&
                    found->get<std::uint64_t>() >= 1 && found->get<std::uint64_t>() <= high;
  if (!good) return out_of_range(name, 1, static_cast<long long>(high));
  return found->get<std::size_t>();
}

/// All records in one block, of which answers are slices.
Bytes make_records(const fashion::Dataset& images) {
  aiserve::MutableBytes block(images.size() * kRecord);
  std::byte* out = block.data();
  for (std::size_t i = 0; i < images.size(); ++i, out += kRecord) {
    *out = std::byte{images.labels[i]};
    std::memcpy(out + 1, images.image(i).data(), fashion::kPixels);
  }
  return std::move(block).freeze();
}

Result<http::Response> holdout(const Bytes& records, const http::Request& request) {
  const std::size_t total = records.size() / kRecord;
  const auto last = static_cast<long long>(total) - 1;
  const auto offset = number_in_query(request, "offset", 0, 0, last);
  if (!offset) return offset.error();
  const auto count = number_in_query(request, "count", 120, 1, kMaxRecords);
  if (!count) return count.error();
  const Bytes slice = records.slice(*offset * kRecord, *count * kRecord);
  return http::bytes(slice).header("X-Total-Count", std::to_string(total));
}

Result<http::Response> start_fire(const Parts& parts, const http::Request& request) {
  const Result<nlohmann::json> body = http::request_json(request);
  if (!body) return body.error();
  if (!body->is_object()) return Error(Errc::invalid_argument, "the body must be a JSON object");
  const auto concurrency = number_in_body(*body, "concurrency", Fire::kMaxConcurrency);
  if (!concurrency) return concurrency.error();
  const auto count = number_in_body(*body, "count", parts.images.size());
  if (!count) return count.error();
  const Result<std::uint64_t> id = parts.fire.start(*concurrency, *count);
  if (!id) return id.error();
  return http::json("{\"id\":" + std::to_string(*id) + "}").status(202);
}

/// Equal time for equal lengths, however much of the token is right.
bool same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  }
  return difference == 0;
}

}  // namespace

void add_api(http::Server& server, const Parts& parts, std::string info) {
  server.post("/v1/fashion",
              [parts](const Context& ctx, const http::Request& request) {
                return classify(parts, ctx, request);
              },
              {.max_body = 64 * 1024});
  server.get("/v1/info", [info = std::move(info)](const Context&, const http::Request&) {
    return http::json(info);
  });
  server.get("/v1/holdout",
             [records = make_records(parts.images)](const Context&, const http::Request& request) {
               return holdout(records, request);
             });
  server.post(
      "/v1/fire",
      [parts](const Context&, const http::Request& request) { return start_fire(parts, request); },
      {.max_body = 1024});
  server.del("/v1/fire", [parts](const Context&, const http::Request&) {
    parts.fire.cancel();
    return http::no_content();
  });
  server.events("/v1/stream",
                [parts](const Context& ctx, const http::Request&, http::EventStream stream) {
                  return parts.live.follow(ctx, std::move(stream));
                });
}

void protect(http::Server& server, std::string token) {
  if (token.empty()) return;
  server.before([wanted = "Bearer " + std::move(token)](
                    Context&, const http::Request& request) -> Result<void> {
    if (request.path().starts_with("/health/")) return aiserve::success();
    if (same(request.header("Authorization"), wanted)) return aiserve::success();
    return Error(Errc::unauthenticated, "a bearer token is needed");
  });
}

}  // namespace service
