/// The service's HTTP interface: what each path does. Wiring only; the work is done elsewhere.
///
///     POST /v1/fashion            classify an image            (fashion_api.hpp)
///     GET  /v1/info               the model and the build      (model_card.hpp)
///     GET  /v1/holdout            held-out images, 785 bytes each: label, pixels
///     POST /v1/fire               classify many of them        (fire.hpp)
///     DELETE /v1/fire             stop that
///     GET  /v1/stream             live figures                 (live.hpp)
///     GET  /                      the page                     (page.hpp)
///
/// *Thread safety:* call before the runtime starts. *Errors:* none but what http::Server throws.
#pragma once

#include <aiserve/http/server.hpp>
#include <aiserve/serving/batcher.hpp>

#include <string>

#include "fashion_data/dataset.hpp"
#include "fire.hpp"
#include "live.hpp"
#include "ride_recorder.hpp"

namespace service {

/// What the handlers work with; all of it outlives the server.
struct Parts {
  aiserve::Runtime& runtime;
  aiserve::Batcher& batcher;
  const fashion::Dataset& images;
  RideRecorder& recorder;
  Fire& fire;
  Live& live;
};

/// `info` is what GET /v1/info answers, as JSON.
void add_api(aiserve::http::Server& server, const Parts& parts, std::string info);
void add_page(aiserve::http::Server& server);
/// Everything but /health/... asks for the token, unless it is empty.
void protect(aiserve::http::Server& server, std::string token);

}  // namespace service
