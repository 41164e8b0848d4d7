// JsonText: writes JSON text piece by piece, commas and escapes included. Invalid UTF-8 becomes
// U+FFFD, so the output is always valid JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aiserve::inline v0::detail {

/// Appends the quoted, escaped string.
void append_json_string(std::string& out, std::string_view text);

class JsonText {
 public:
  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }
  JsonText& key(std::string_view name);
  JsonText& string(std::string_view text);
  JsonText& number(std::int64_t value);
  JsonText& number(int value) { return number(std::int64_t{value}); }
  /// NaN and infinities become null.
  JsonText& number(double value);
  JsonText& boolean(bool value);
  /// A piece that is JSON already.
  JsonText& raw(std::string_view json);

  std::string text() && { return std::move(out_); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void separate();

  std::string out_;
  bool comma_ = false;
};

}  // namespace aiserve::inline v0::detail
