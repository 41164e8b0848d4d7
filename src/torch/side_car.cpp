#include "torch/side_car.hpp"

#include <cstdint>
#include <limits>

#include "core/json_guard.hpp"
#include "torch/model_file.hpp"

namespace aiserve::inline v0::detail {
namespace {

using Json = nlohmann::json;

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

Result<std::string> optional_text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return invalid("\"" + std::string(key) + "\" must be a string");
  return found->get<std::string>();
}

Result<Shape> parse_shape(const Json& json, const std::string& where) {
  const Error wrong = invalid(where + ": \"shape\" must be an array of integers");
  if (!json.is_array()) return wrong;
  std::vector<std::int64_t> dims;
  for (const Json& dim : json) {
    if (!dim.is_number_integer()) return wrong;
    constexpr auto kMax = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (dim.is_number_unsigned() && dim.get<std::uint64_t>() > kMax) {
      return invalid(where + ": a dimension is too large");
    }
    dims.push_back(dim.get<std::int64_t>());
  }
  Result<Shape> shape = Shape::make(dims);
  if (!shape) return invalid(where + ": " + shape.error().message());
  return shape;
}

Result<TensorSpec> parse_spec(const Json& json, const std::string& where) {
  if (!json.is_object()) return invalid(where + " must be an object");
  for (const auto& [key, value] : json.items()) {
    if (key != "name" && key != "dtype" && key != "shape") {
      return invalid(where + ": unknown key \"" + key + "\"");
    }
  }
  Result<std::string> name = optional_text(json, "name");
  if (!name) return invalid(where + ": " + name.error().message());
  const Result<std::string> dtype_name = optional_text(json, "dtype");
  if (!dtype_name) return invalid(where + ": " + dtype_name.error().message());
  if (name->empty() || dtype_name->empty() || !json.contains("shape")) {
    return invalid(where + " needs \"name\", \"dtype\" and \"shape\"");
  }
  const Result<DType> dtype = parse_dtype(*dtype_name);
  if (!dtype) return invalid(where + ": " + dtype.error().message());
  const Result<Shape> shape = parse_shape(json["shape"], where);
  if (!shape) return shape.error();
  return TensorSpec(std::move(*name), *dtype, *shape);
}

Result<std::vector<TensorSpec>> parse_specs(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array() || found->empty() || found->size() > 64) {
    return invalid("\"" + key + "\" must be an array of 1 to 64 objects");
  }
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < found->size(); ++i) {
    Result<TensorSpec> spec = parse_spec((*found)[i], key + "[" + std::to_string(i) + "]");
    if (!spec) return spec.error();
    specs.push_back(std::move(*spec));
  }
  return specs;
}

Result<Signature> parse_signature(const Json& json) {
  Signature signature;
  for (const auto& [key, specs] :
       {std::pair("inputs", &signature.inputs), std::pair("outputs", &signature.outputs)}) {
    Result<std::vector<TensorSpec>> parsed = parse_specs(json, key);
    if (!parsed) return parsed.error();
    *specs = std::move(*parsed);
  }
  if (Result<void> valid = signature.validate(); !valid) return valid.error();
  return signature;
}

// The files lie beside the side-car: a name must not lead elsewhere.
bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

Result<std::size_t> parse_rows(const Json& json) {
  const auto found = json.find("rows");
  if (found == json.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() < 1 ||
      found->get<std::uint64_t>() > 65'536) {
    return invalid("\"sample\": \"rows\" must be 1 to 65536");
  }
  return found->get<std::size_t>();
}

Result<std::int64_t> parse_length(const Json& json) {
  const auto found = json.find("length");
  if (found == json.end() || found->is_null()) return std::int64_t{0};
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() < 1 ||
      found->get<std::uint64_t>() > (std::uint64_t{1} << 24U)) {
    return invalid("\"sample\": \"length\" must be 1 to 16777216");
  }
  return found->get<std::int64_t>();
}

// A sample without an input file is none.
Result<std::optional<Sample>> parse_sample(const Json& json) {
  const auto found = json.find("sample");
  if (found == json.end() || found->is_null()) return std::optional<Sample>();
  if (!found->is_object()) return invalid("\"sample\" must be an object");
  Sample sample;
  for (const auto& [key, target] : {std::pair("input_file", &sample.input_file),
                                    std::pair("output_file", &sample.output_file)}) {
    Result<std::string> name = optional_text(*found, key);
    if (!name) return invalid("\"sample\": " + name.error().message());
    *target = std::move(*name);
    if (sample.input_file.empty()) return std::optional<Sample>();
    if (!is_plain_name(*target)) {
      return invalid("\"sample\": \"" + std::string(key) +
                     "\" must be a file name without folders");
    }
  }
  const Result<std::size_t> rows = parse_rows(*found);
  if (!rows) return rows.error();
  sample.rows = *rows;
  const Result<std::int64_t> length = parse_length(*found);
  if (!length) return length.error();
  sample.length = *length;
  const Json tolerance = found->value("tolerance", Json(sample.tolerance));
  if (!tolerance.is_number() || tolerance.get<double>() < 0) {
    return invalid("\"sample\": \"tolerance\" must be a number from 0 on");
  }
  sample.tolerance = tolerance.get<double>();
  return std::optional<Sample>(std::move(sample));
}

}  // namespace

Result<SideCar> parse_side_car(std::string_view text) {
  const Result<Json> json = parse_json(text);
  if (!json) return json.error();
  if (!json->is_object()) return invalid("must be a JSON object");

  SideCar car;
  for (const auto& [key, target] :
       {std::pair("name", &car.name), std::pair("version", &car.version),
        std::pair("sha256", &car.sha256)}) {
    Result<std::string> value = optional_text(*json, key);
    if (!value) return value.error();
    *target = std::move(*value);
  }
  if (!car.sha256.empty()) {
    Result<std::string> digest = parse_sha256(car.sha256);
    if (!digest) return digest.error();
    car.sha256 = std::move(*digest);
  }
  Result<Signature> signature = parse_signature(*json);
  if (!signature) return signature.error();
  car.signature = std::move(*signature);
  Result<std::optional<Sample>> sample = parse_sample(*json);
  if (!sample) return sample.error();
  car.sample = std::move(*sample);
  return car;
}

}  // namespace aiserve::inline v0::detail
