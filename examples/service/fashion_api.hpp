/// POST /v1/fashion: what a request says, and how the answer is written.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <aiserve/core/context.hpp>
#include <aiserve/http/request.hpp>
#include <aiserve/serving/batcher.hpp>

#include <string>

namespace service {

/// 784 bytes as application/octet-stream (or without a type), or {"pixels": [784 numbers]} as
/// application/json, 0 to 255, row by row. *Errors:* malformed for what is no JSON;
/// invalid_argument, naming the field, for wrong types, counts and ranges.
aiserve::Result<aiserve::Tensor> decode_image(const aiserve::http::Request& request);
/// Whether decode_image() knows the Content-Type; else the answer is 415.
bool known_media_type(const aiserve::http::Request& request);

/// The answer as JSON. `total` is what the service took, queue and computation included. *Errors:*
/// internal when the model gave no probabilities.
aiserve::Result<std::string> encode_answer(const aiserve::Context& ctx,
                                           const aiserve::Inference& answer,
                                           aiserve::Duration total);

}  // namespace service
