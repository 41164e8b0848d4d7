#include "routes.hpp"

#include <aiserve/core/telemetry.hpp>

#include <set>
#include <string>

#include <doctest/doctest.h>

namespace {

using aiserve::DType;
using aiserve::TensorSpec;
namespace http = aiserve::http;

// The service as main() wires it, over a model that answers nothing.
struct Wired {
  Wired() {
    service::add_api(server, {runtime, batcher, images, recorder, fire, live}, "{}");
    service::add_page(server);
  }

  aiserve::Telemetry telemetry{{.log_level = aiserve::LogLevel::off}};
  aiserve::Runtime runtime{{.telemetry = &telemetry}};
  aiserve::CallableModel model{{.name = "test",
                                .signature = {{TensorSpec("image", DType::f32, {-1, 1, 28, 28})},
                                              {TensorSpec("probabilities", DType::f32, {-1, 10})}}},
                               [](aiserve::Batch&) { return aiserve::success(); }};
  aiserve::Batcher batcher{runtime, model, {}};
  fashion::Dataset images;
  service::RideRecorder recorder;
  service::Fire fire{runtime, batcher, images, recorder};
  service::Live live{runtime, batcher, recorder, fire};
  http::Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

// Of none of them anything belongs to one caller: the images are everybody's, and so is the one
// fire that may burn. A route that names what belongs to somebody needs a test that asks for
// another's.
const std::set<std::string> kShared{
    "DELETE /v1/fire", "GET /",        "GET /app.css",   "GET /app.js",      "GET /favicon.ico",
    "GET /v1/holdout", "GET /v1/info", "GET /v1/stream", "POST /v1/fashion", "POST /v1/fire"};

}  // namespace

TEST_CASE("every route of the service is one whose answers belong to nobody alone") {
  Wired wired;
  std::set<std::string> routes;
  for (const http::RouteInfo& route : wired.server.routes()) {
    const std::string line = std::string(http::name(route.method)) + " " + route.pattern;
    CHECK_MESSAGE(kShared.contains(line), line);
    CHECK_MESSAGE(route.pattern.find('{') == std::string::npos, route.pattern);
    routes.insert(line);
  }
  CHECK(routes.size() == kShared.size());
}
