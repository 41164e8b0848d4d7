#include "core/metric_names.hpp"

#include <algorithm>

#include "aiserve/core/error.hpp"
#include "core/utf8.hpp"

namespace aiserve::inline v0::detail {
namespace {

bool letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool label_name(std::string_view name) noexcept {
  return !name.empty() && letter(name[0]) && !name.starts_with("__") && name != "le" &&
         std::all_of(name.begin(), name.end(), [](char c) { return letter(c) || digit(c); });
}

void check_label_name(std::string_view metric, std::string_view name) {
  if (label_name(name)) return;
  throw ConfigError("metric " + std::string(metric) + ": bad label name \"" + std::string(name) +
                    "\"");
}

}  // namespace

void check_metric_name(std::string_view name) {
  const bool good = !name.empty() && (letter(name[0]) || name[0] == ':') &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return letter(c) || digit(c) || c == ':'; });
  if (!good) throw ConfigError("bad metric name \"" + std::string(name) + "\"");
}

void check_labels(std::string_view metric, const Labels& labels, std::string_view extra) {
  if (!extra.empty()) check_label_name(metric, extra);
  for (const Label& label : labels) check_label_name(metric, label.name);
  const auto same = [](const Label& a, const Label& b) { return a.name == b.name; };
  const bool twice = std::adjacent_find(labels.begin(), labels.end(), same) != labels.end() ||
                     std::any_of(labels.begin(), labels.end(),
                                 [extra](const Label& label) { return label.name == extra; });
  if (twice) throw ConfigError("metric " + std::string(metric) + ": a label is there twice");
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const Utf8Step step = next_utf8(text);
    const char c = text[0];
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += step.valid ? text.substr(0, step.length) : std::string_view("\xEF\xBF\xBD");
    }
    text.remove_prefix(step.length);
  }
}

}  // namespace aiserve::inline v0::detail
