// The JSON file beside a model: its name, version, signature and digest (docs/models.md).
#pragma once

#include <string>
#include <string_view>

#include "aiserve/serving/signature.hpp"

namespace aiserve::inline v0::detail {

struct SideCar {
  std::string name;
  std::string version;
  std::string sha256;  // lower case; empty if it has none
  Signature signature;
};

// Unknown keys are ignored at the top and errors inside of inputs and outputs: a misspelt "shape"
// must not pass. Errors: malformed or invalid_argument, one line.
Result<SideCar> parse_side_car(std::string_view text);

}  // namespace aiserve::inline v0::detail
