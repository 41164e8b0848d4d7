#include "aiserve/cache/inference_request.hpp"

namespace aiserve::inline v0 {
namespace {

bool is_zero(const InferenceRequest::Parameter& value) noexcept {
  if (const auto* number = std::get_if<double>(&value)) return *number == 0;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number == 0;
  return false;
}

}  // namespace

InferenceRequest& InferenceRequest::set(std::string name, Parameter value) {
  parameters_.insert_or_assign(std::move(name), std::move(value));
  return *this;
}

InferenceRequest& InferenceRequest::add(std::string name, Tensor input) {
  inputs_.add(std::move(name), std::move(input));
  return *this;
}

InferenceRequest& InferenceRequest::cacheable(bool yes) noexcept {
  cacheable_ = yes;
  return *this;
}

bool InferenceRequest::deterministic() const noexcept {
  const auto temperature = parameters_.find("temperature");
  if (temperature == parameters_.end() || is_zero(temperature->second)) return true;
  return parameters_.contains("seed");
}

void digest_into(Digester& digester, const InferenceRequest& request) {
  digester.add(request.model()).add(request.version()).add(request.parameters().size());
  for (const auto& [name, value] : request.parameters()) {
    digester.add(name);
    std::visit([&](const auto& given) { digester.add(given); }, value);
  }
  digester.add(request.inputs());
}

}  // namespace aiserve::inline v0
