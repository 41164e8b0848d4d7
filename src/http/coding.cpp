#include "http/coding.hpp"

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<std::string_view, kCodings> kNames{"identity", "gzip", "deflate", "br",
                                                        "zstd"};

// A qvalue in thousandths, -1 if it is none.
int thousandths(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 1 && text[1] != '.') return -1;
  int value = (text[0] - '0') * 1000;
  int unit = 100;
  for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!is(c, kDigit)) return -1;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? -1 : value;
}

// The weight behind ';', 1000 if there is none, -1 if it is malformed.
int weight_of(std::string_view parameter) noexcept {
  if (parameter.empty()) return 1000;
  if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') return -1;
  return thousandths(parameter.substr(2));
}

}  // namespace

std::string_view name(Coding coding) noexcept { return kNames[static_cast<std::size_t>(coding)]; }

std::optional<Coding> coding_named(std::string_view token) noexcept {
  if (iequals(token, "x-gzip")) return Coding::gzip;
  for (std::size_t i = 0; i < kCodings; ++i) {
    if (iequals(token, kNames[i])) return static_cast<Coding>(i);
  }
  return std::nullopt;
}

void AcceptEncoding::add(std::string_view field) noexcept {
  while (!field.empty()) {
    const std::size_t comma = field.find(',');
    add_element(trim(field.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    field.remove_prefix(comma + 1);
  }
}

void AcceptEncoding::add_element(std::string_view element) noexcept {
  const std::size_t semicolon = element.find(';');
  const std::string_view token = trim(element.substr(0, semicolon));
  const bool weighted = semicolon != std::string_view::npos;
  const int weight = weight_of(weighted ? trim(element.substr(semicolon + 1)) : "");
  if (weight < 0) return;
  if (token == "*") {
    others_ = weight;
  } else if (const auto coding = coding_named(token)) {
    weights_[static_cast<std::size_t>(*coding)] = weight;
  }
}

int AcceptEncoding::weight(Coding coding) const noexcept {
  const int said = weights_[static_cast<std::size_t>(coding)];
  if (said != kUnsaid) return said;
  if (others_ != kUnsaid) return others_;
  return coding == Coding::identity ? 1000 : 0;
}

}  // namespace aiserve::inline v0::http::detail
