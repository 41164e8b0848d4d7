// ModelSpec: which model is measured, as told on the command line.
//
//   null               computes nothing: what the machinery costs
//   sleep:A+Bn         sleeps A + B * rows, like a GPU that works elsewhere: sleep:2ms+50us
//   spin:A+Bn          keeps a core busy for as long, like a model on this CPU: spin:400us+40us
//   fashion[:FILE]     the demo's model over the held-out images (default: where scripts/demo puts
//                      it)
//   torch:FILE         any TorchScript file with its side-car; inputs are random by signature
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tuner/arrivals.hpp"

namespace tuner {

enum class ModelKind : std::uint8_t { null, sleep, spin, fashion, torch };

struct ModelSpec {
  ModelKind kind = ModelKind::null;
  Nanos base = 0;      ///< sleep, spin: of a call
  Nanos per_row = 0;   ///< sleep, spin
  std::string file{};  ///< fashion, torch

  /// What a call of `rows` takes; sleep and spin only.
  Nanos call(std::size_t rows) const noexcept { return base + per_row * static_cast<Nanos>(rows); }
  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

/// Throws UsageError.
ModelSpec parse_model(std::string_view text);

}  // namespace tuner
