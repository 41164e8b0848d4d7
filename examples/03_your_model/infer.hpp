/// Requests and answers of POST /v1/infer, for any signature.
///
/// application/octet-stream: the raw elements of one row, inputs one after the other.
/// application/json: nested arrays, {"image": [...], ...}; a single input may stand alone.
/// *Errors:* malformed, invalid_argument. *Thread safety:* any thread.
#pragma once

#include <aiserve/http/request.hpp>
#include <aiserve/http/response.hpp>
#include <aiserve/torch/torch_model.hpp>

namespace your_model {

aiserve::Result<aiserve::TensorSet> read_inputs(const aiserve::Signature& signature,
                                                const aiserve::http::Request& request);

/// {"probabilities": [...], ...}
aiserve::http::Response answer(const aiserve::TensorSet& outputs);

/// GET /v1/model: name, version, digest, inputs and outputs.
aiserve::http::Response describe(const aiserve::TorchModel& model);

}  // namespace your_model
