#include "config_file.hpp"

#include <aiserve/core/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <nlohmann/json.hpp>

namespace service {
namespace {

using aiserve::ConfigError;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxFile = std::size_t{1} << 20;

std::string read_text(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw ConfigError(in_quotes(file) + " is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw ConfigError(in_quotes(file) + " cannot be read");
  std::string text;
  for (char c = 0; text.size() <= kMaxFile && in.get(c);) text += c;
  if (in.bad()) throw ConfigError(in_quotes(file) + " cannot be read");
  if (text.size() > kMaxFile) throw ConfigError(in_quotes(file) + " is longer than 1 MiB");
  return text;
}

/// nlohmann takes the last of two equal keys and stops at a NUL without a word; here both are
/// wrong.
Json parse_object(const std::string& file, const std::string& text) {
  std::set<std::string> keys;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 2) throw ConfigError(in_quotes(file) + " must be a flat object");
    if (event == Json::parse_event_t::key && !keys.insert(value.get<std::string>()).second) {
      twice = value.get<std::string>();
    }
    return true;
  };
  if (text.find('\0') != std::string::npos)
    throw ConfigError(in_quotes(file) + " holds a NUL byte");
  try {
    Json json = Json::parse(text, watch);
    if (!json.is_object()) throw ConfigError(in_quotes(file) + " must hold one JSON object");
    if (!twice.empty())
      throw ConfigError(in_quotes(file) + " names " + in_quotes(twice) + " twice");
    return json;
  } catch (const Json::parse_error& error) {
    throw ConfigError(in_quotes(file) + " is not JSON, at byte " + std::to_string(error.byte));
  }
}

bool printable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

std::vector<FileEntry> read_config_file(const std::string& file) {
  std::vector<FileEntry> entries;
  const Json json = parse_object(file, read_text(file));
  for (const auto& [name, value] : json.items()) {
    if (value.is_number()) {
      entries.push_back({name, value.dump(), true});
    } else if (value.is_string()) {
      entries.push_back({name, value.get<std::string>(), false});
    } else {
      throw ConfigError(in_quotes(name) + " in " + in_quotes(file) +
                        " must be a number or a string");
    }
  }
  return entries;
}

std::string read_secret(const std::string& file) {
  std::string text = read_text(file);
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  const bool good =
      text.size() >= 16 && text.size() <= 1024 && std::all_of(text.begin(), text.end(), printable);
  if (!good) {
    throw ConfigError("the secret in " + in_quotes(file) +
                      " must be one line of 16 to 1024 printable ASCII characters");
  }
  return text;
}

std::string with_ending(const std::string& file, std::string_view ending) {
  return std::filesystem::path(file).replace_extension(ending).string();
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return out + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace service
