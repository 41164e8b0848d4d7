#include "tuner/model_spec.hpp"

#include <fmt/core.h>

#include "tuner/parse.hpp"
#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw UsageError(
      fmt::format("--model: \"{}\" is none of null, sleep:A+Bn, spin:A+Bn (spin:400us+40us), "
                  "fashion, fashion:FILE, torch:FILE",
                  text));
}

ModelSpec timed(ModelKind kind, std::string_view text, std::string_view times) {
  const auto parts = split(times, '+');
  if (parts.size() > 2) refuse(text);
  ModelSpec spec{kind, 0, 0, {}};
  spec.base = parse_duration(parts[0], "--model, time of a call");
  if (parts.size() == 2) {
    std::string_view row = parts[1];
    if (row.ends_with('n')) row.remove_suffix(1);
    spec.per_row = parse_duration(row, "--model, time of a row");
  }
  return spec;
}

}  // namespace

ModelSpec parse_model(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (text == "null") return {};
  if (text == "fashion") return {ModelKind::fashion, 0, 0, {}};
  if (rest.empty()) refuse(text);
  if (kind == "sleep") return timed(ModelKind::sleep, text, rest);
  if (kind == "spin") return timed(ModelKind::spin, text, rest);
  if (kind == "fashion") return {ModelKind::fashion, 0, 0, std::string(rest)};
  if (kind == "torch") return {ModelKind::torch, 0, 0, std::string(rest)};
  refuse(text);
}

}  // namespace tuner
