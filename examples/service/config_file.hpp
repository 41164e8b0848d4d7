/// The files a configuration consists of: one JSON object of options, and secrets.
/// *Errors:* ConfigError with one line that names the file.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace service {

struct FileEntry {
  std::string name;
  std::string text;  ///< a number as it is written, or a string's characters
  bool is_number = false;
};

/// A flat JSON object of numbers and strings.
std::vector<FileEntry> read_config_file(const std::string& file);

/// The first line of the file: 16 to 1024 printable ASCII characters. The error tells nothing of
/// it.
std::string read_secret(const std::string& file);

/// "fashion.pt" becomes "fashion.json".
std::string with_ending(const std::string& file, std::string_view ending);

/// The text in quotes, as one line: control characters become '?', what is too long is cut.
std::string in_quotes(std::string_view text);

}  // namespace service
