#include "fashion_api.hpp"

#include <aiserve/http/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "pixels.hpp"

namespace service {

using aiserve::Errc;
using aiserve::Error;
using aiserve::Result;
using aiserve::Tensor;
namespace http = aiserve::http;

namespace {

using Json = nlohmann::json;
constexpr std::size_t kPixels = fashion::kPixels;

Error wrong_count(std::size_t count, std::string_view what) {
  return Error(Errc::invalid_argument,
               fmt::format("pixels: must be {} {}, row by row, not {}", kPixels, what, count));
}

Result<Tensor> from_bytes(aiserve::ByteView body) {
  if (body.size() != kPixels) return wrong_count(body.size(), "bytes");
  const auto* data = reinterpret_cast<const std::uint8_t*>(body.data());
  return to_tensor(Pixels(data, kPixels));
}

Result<Tensor> from_json(const Json& body) {
  if (!body.is_object()) return Error(Errc::invalid_argument, "the body must be a JSON object");
  for (const auto& [name, value] : body.items()) {
    if (name != "pixels") {
      return Error(Errc::invalid_argument, "the body may hold \"pixels\" and nothing else");
    }
  }
  const auto found = body.find("pixels");
  if (found == body.end()) return Error(Errc::invalid_argument, "pixels: is missing");
  if (!found->is_array()) return Error(Errc::invalid_argument, "pixels: must be an array");
  if (found->size() != kPixels) return wrong_count(found->size(), "numbers");

  std::array<std::uint8_t, kPixels> pixels{};
  for (std::size_t i = 0; i < kPixels; ++i) {
    const Json& value = (*found)[i];
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 255) {
      return Error(Errc::invalid_argument,
                   fmt::format("pixels[{}]: must be an integer from 0 to 255", i));
    }
    pixels[i] = value.get<std::uint8_t>();
  }
  return to_tensor(pixels);
}

std::int64_t us(aiserve::Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

bool known_media_type(const http::Request& request) {
  const std::string type = request.content_type();
  return type.empty() || type == "application/octet-stream" || type == "application/json";
}

Result<Tensor> decode_image(const http::Request& request) {
  if (request.content_type() != "application/json") return from_bytes(request.body());
  const Result<Json> body = http::request_json(request);
  if (!body) return body.error();
  return from_json(*body);
}

Result<std::string> encode_answer(const aiserve::Context& ctx, const aiserve::Inference& answer,
                                  aiserve::Duration total) {
  const std::size_t label = most_likely(answer.output());
  if (label == fashion::kClasses) {
    return Error(Errc::internal, "internal error").with_detail("the model gave no probabilities");
  }
  const aiserve::Ride& ride = answer.ride();
  std::string out;
  const auto to = std::back_inserter(out);
  fmt::format_to(to, R"({{"label":{},"class":"{}","probabilities":[{}],)", label,
                 fashion::kLabels[label], fmt::join(answer.output().data<float>(), ","));
  fmt::format_to(to, R"("timings":{{"queue_us":{},"compute_us":{},"total_us":{}}},)",
                 us(ride.queue), us(ride.compute), us(total));
  fmt::format_to(to, R"("batch":{{"id":{},"size":{},"position":{},"reason":"{}"}},)", ride.batch_id,
                 ride.size, ride.position, to_string(ride.reason));
  fmt::format_to(to, R"("request_id":{}}})", Json(ctx.request_id()).dump());
  return out;
}

}  // namespace service
