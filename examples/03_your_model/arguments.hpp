/// The command line: MODEL.pt [SIGNATURE.json] [--port N].
/// *Errors:* ConfigError.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace your_model {

struct Arguments {
  std::string model;
  std::string signature;  ///< empty: the .json beside the model
  std::uint16_t port = 8080;
  bool help = false;
};

inline constexpr const char* kUsage =
    "usage: 03_your_model MODEL.pt [SIGNATURE.json] [--port N]\n"
    "Serves a TorchScript file: POST /v1/infer, GET /v1/model. The signature lies beside the "
    "model\n"
    "as MODEL.json unless it is named (docs/models.md). --port 0 takes any free port.\n";

Arguments parse_arguments(std::span<const char* const> words);

}  // namespace your_model
