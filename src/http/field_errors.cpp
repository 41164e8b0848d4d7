#include "http/field_errors.hpp"

#include <algorithm>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kMaxKey = 100;
constexpr std::size_t kMaxPointer = 1000;

// Not in the middle of a character.
std::string_view cut(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

void append_token(std::string& out, std::string_view key) {
  const std::string_view kept = cut(key, kMaxKey);
  for (const char c : kept) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  if (kept.size() != key.size()) out += "...";
}

}  // namespace

std::string json_pointer(const Step& at) {
  std::vector<const Step*> steps;
  for (const Step* step = &at; step->up != nullptr; step = step->up) steps.push_back(step);
  std::reverse(steps.begin(), steps.end());
  std::string pointer;
  for (const Step* step : steps) {
    if (pointer.size() > kMaxPointer) return pointer + "/...";
    pointer += '/';
    if (step->is_index) {
      pointer += std::to_string(step->index);
    } else {
      append_token(pointer, step->key);
    }
  }
  return pointer;
}

bool FieldErrors::add(const Step& at, std::string_view problem) {
  all_.push_back({Source::member, json_pointer(at), std::string(problem)});
  return all_.size() < limit_;
}

bool FieldErrors::add(Source source, std::string_view name, std::string_view problem) {
  std::string shown(cut(name, kMaxKey));
  if (shown.size() != name.size()) shown += "...";
  all_.push_back({source, std::move(shown), std::string(problem)});
  return all_.size() < limit_;
}

std::string FieldErrors::summary() const {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, all_.size()); ++i) {
    if (i != 0) text += "; ";
    const bool whole = all_[i].where.empty();
    text += (whole ? "the value" : all_[i].where + ":") + " " + all_[i].problem;
  }
  if (all_.size() > kShown) text += "; and " + std::to_string(all_.size() - kShown) + " more";
  return text;
}

std::string_view to_string(Source source) noexcept {
  switch (source) {
    case Source::path:
      return "path";
    case Source::query:
      return "query";
    case Source::header:
      return "header";
    case Source::member:
    case Source::body:
      break;
  }
  return "body";
}

}  // namespace aiserve::inline v0::http::detail
