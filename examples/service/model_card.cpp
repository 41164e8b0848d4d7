#include "model_card.hpp"

#include <aiserve/core/version.hpp>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "fashion_data/dataset.hpp"

namespace service {
namespace {

using Json = nlohmann::ordered_json;

Json metric(const Json& side_car, const char* name) {
  const Json::json_pointer pointer(std::string("/metrics/") + name);
  return side_car.is_object() && side_car.contains(pointer) ? side_car.at(pointer) : Json();
}

}  // namespace

std::string info_json(const Deployment& deployment, std::string_view side_car) {
  const Json card = Json::parse(side_car, nullptr, /*allow_exceptions=*/false);
  Json json;
  // Where files lie is nobody's business outside.
  json["version"] = aiserve::version();
  json["commit"] = aiserve::commit();
  json["model"] = {{"path", std::filesystem::path(deployment.model_file).filename().string()},
                   {"sha256", deployment.model_sha256},
                   {"accuracy", metric(card, "accuracy")},
                   {"trained_images", metric(card, "trained_images")},
                   {"held_out", metric(card, "held_out")}};
  json["classes"] = fashion::kLabels;
  json["instances"] = deployment.instances;
  json["max_batch"] = deployment.max_batch;
  json["blas"] = deployment.blas;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace service
