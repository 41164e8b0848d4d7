#include "doubler.hpp"

#include <charconv>
#include <string>

using namespace aiserve;

namespace {

Result<float> parse(std::string_view line) {
  float value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error == std::errc() && end == line.data() + line.size()) return value;
  return Error(Errc::invalid_argument, "a line is not a number");
}

// Of whole lines.
Async<std::string> doubled(Batcher& batcher, const Context& ctx, std::string_view lines) {
  std::string answer;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const float number = (co_await twice(batcher, ctx, line)).value();
    answer += std::to_string(number) + "\n";
  }
  co_return answer;
}

}  // namespace

Async<float> twice(Batcher& batcher, const Context& ctx, std::string_view number) {
  const Result<float> value = parse(number);
  if (!value) co_return value.error();
  const Tensor row = Tensor::from<float>({1}, {*value}).value();
  const Result<Tensor> result = co_await batcher.infer(ctx, row);
  if (!result) co_return result.error();
  co_return result->data<float>()[0];
}

Async<void> double_lines(Batcher& batcher, const Context& ctx, http::BodyReader& body,
                         http::BodyWriter& answer) {
  answer.head(http::text("")).value();
  std::string rest;
  for (bool more = true; more;) {
    const Bytes part = (co_await body.read()).value();
    more = !part.empty();
    rest += part.text();
    const std::size_t whole = more ? rest.rfind('\n') + 1 : rest.size();
    const std::string lines = rest.substr(0, whole);
    rest.erase(0, whole);
    const std::string numbers = (co_await doubled(batcher, ctx, lines)).value();
    if (!numbers.empty()) (co_await answer.write(numbers)).value();
  }
  co_return success();
}
