// FieldErrors: the bad fields of one request, each with where it stands, bounded in number and
// size.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/http/described_type.hpp"

namespace aiserve::inline v0::http::detail {

// A place in a JSON document, as a list from the inside out. Lives on the stack of who reads.
struct Step {
  const Step* up = nullptr;
  std::string_view key{};
  std::size_t index = 0;
  bool is_index = false;
};

// RFC 6901: "/items/3/price". Keys longer than 100 bytes are cut, pointers longer than 1000 end
// there with "...": what a stranger chose must not grow the answer.
std::string json_pointer(const Step& at);

struct FieldError {
  Source source = Source::member;
  std::string where{};  // a JSON pointer, or the name of a parameter
  std::string problem{};
};

class FieldErrors {
 public:
  explicit FieldErrors(std::size_t limit) noexcept : limit_(limit) {}

  // False if there is no room for more.
  bool add(const Step& at, std::string_view problem);
  bool add(Source source, std::string_view name, std::string_view problem);

  bool empty() const noexcept { return all_.empty(); }
  std::size_t size() const noexcept { return all_.size(); }
  const std::vector<FieldError>& all() const noexcept { return all_; }
  // "/age: must be at least 0" of the first three, and how many more.
  std::string summary() const;

 private:
  std::size_t limit_;
  std::vector<FieldError> all_;
};

// "body", "path", "query", "header".
std::string_view to_string(Source source) noexcept;

}  // namespace aiserve::inline v0::http::detail
