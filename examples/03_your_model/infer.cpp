#include "infer.hpp"

#include <aiserve/http/json.hpp>

#include <algorithm>

#include "json_tensor.hpp"

namespace your_model {
namespace {

using namespace aiserve;
using Json = nlohmann::json;

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

Result<TensorSet> from_bytes(const Signature& signature, const Bytes& body) {
  std::size_t expected = 0;
  for (const TensorSpec& spec : signature.inputs) expected += spec.row_bytes();
  if (body.size() != expected) {
    return invalid("a row is " + std::to_string(expected) + " bytes, the body has " +
                   std::to_string(body.size()));
  }
  TensorSet inputs;
  std::size_t offset = 0;
  for (const TensorSpec& spec : signature.inputs) {
    Result<Tensor> tensor =
        Tensor::make(spec.dtype(), spec.row_shape(), body.slice(offset, spec.row_bytes()));
    if (!tensor) return tensor.error();
    inputs.add(spec.name(), std::move(*tensor));
    offset += spec.row_bytes();
  }
  return inputs;
}

Result<void> check_names(const Signature& signature, const Json& json) {
  if (!json.is_object()) return invalid("expected an object with one member per input");
  for (const auto& [name, value] : json.items()) {
    const auto same = [&name = name](const TensorSpec& spec) { return spec.name() == name; };
    if (std::none_of(signature.inputs.begin(), signature.inputs.end(), same)) {
      return invalid("the model has no input \"" + name + "\"");
    }
  }
  return success();
}

Result<TensorSet> from_json(const Signature& signature, const Json& json) {
  const bool alone = signature.inputs.size() == 1 && !json.is_object();
  if (!alone) {
    if (Result<void> known = check_names(signature, json); !known) return known.error();
  }
  TensorSet inputs;
  for (const TensorSpec& spec : signature.inputs) {
    if (!alone && !json.contains(spec.name())) {
      return invalid("input \"" + spec.name() + "\" is missing");
    }
    Result<Tensor> tensor = tensor_from_json(spec, alone ? json : json[spec.name()]);
    if (!tensor) return tensor.error();
    inputs.add(spec.name(), std::move(*tensor));
  }
  return inputs;
}

Json specs_to_json(const std::vector<TensorSpec>& specs) {
  Json list = Json::array();
  for (const TensorSpec& spec : specs) {
    const auto dims = spec.shape().dims();
    list.push_back({{"name", spec.name()},
                    {"dtype", to_string(spec.dtype())},
                    {"shape", std::vector<std::int64_t>(dims.begin(), dims.end())}});
  }
  return list;
}

}  // namespace

Result<TensorSet> read_inputs(const Signature& signature, const http::Request& request) {
  const std::string type = request.content_type();
  if (type == "application/octet-stream") return from_bytes(signature, request.body_bytes());
  const Result<Json> json = http::request_json(request);
  if (!json) return json.error();
  return from_json(signature, *json);
}

http::Response answer(const TensorSet& outputs) {
  Json json = Json::object();
  for (const NamedTensor& output : outputs.items()) {
    json[output.name()] = tensor_to_json(output.tensor());
  }
  return http::json(json);
}

http::Response describe(const TorchModel& model) {
  return http::json(Json{{"name", model.name()},
                         {"version", model.version()},
                         {"sha256", model.sha256()},
                         {"inputs", specs_to_json(model.signature().inputs)},
                         {"outputs", specs_to_json(model.signature().outputs)}});
}

}  // namespace your_model
