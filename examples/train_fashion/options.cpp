#include "options.hpp"

#include <charconv>
#include <concepts>
#include <limits>
#include <string>

namespace fashion {

const std::string_view kUsage =
    R"(usage: train_fashion --out DIR [--data DIR] [--epochs N] [--seed N] [--quick] [--force]

Trains a small convolutional network on Fashion-MNIST in about two minutes of CPU and writes
DIR/fashion.pt (TorchScript) and DIR/fashion.json (its signature and measured accuracy).
Does nothing when DIR holds the result of the same training.

  --out DIR     where the model goes; made if it is not there
  --data DIR    folder with the four IDX files (default /usr/share/datasets/fashion-mnist)
  --epochs N    passes over the 60,000 images, 1 to 100 (default 5)
  --seed N      of the weights and the order of the images (default 1)
  --quick       6,000 images, one epoch: a poor model in seconds, for tests
  --force       train although the result is there
)";

namespace {

template <std::unsigned_integral Number>
Number number(std::string_view option, std::string_view text, Number low, Number high) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < low || value > high)
    throw UsageError(std::string(option) + " must be a number from " + std::to_string(low) +
                     " to " + std::to_string(high) + ", not '" + std::string(text) + "'");
  return value;
}

/// Takes option and value apart, in both spellings: `--seed 7` and `--seed=7`.
class Arguments {
 public:
  explicit Arguments(std::span<const std::string_view> left) : left_(left) {}

  bool next() {
    if (left_.empty()) return false;
    const auto equals = left_.front().find('=');
    has_inline_value_ = equals != std::string_view::npos;
    name_ = left_.front().substr(0, equals);
    if (has_inline_value_) inline_value_ = left_.front().substr(equals + 1);
    left_ = left_.subspan(1);
    return true;
  }

  std::string_view name() const { return name_; }

  std::string_view value() {
    std::string_view text = inline_value_;
    if (!has_inline_value_ && !left_.empty()) {
      text = left_.front();
      left_ = left_.subspan(1);
    }
    has_inline_value_ = false;
    inline_value_ = {};
    if (text.empty()) throw UsageError(std::string(name_) + " needs a value");
    return text;
  }

  /// Call when an option is done: a flag that was given a value is an error.
  void check_used() const {
    if (has_inline_value_) throw UsageError(std::string(name_) + " takes no value");
  }

 private:
  std::span<const std::string_view> left_;
  std::string_view name_;
  std::string_view inline_value_;
  bool has_inline_value_ = false;
};

void apply(Arguments& arguments, Options& options) {
  const std::string_view name = arguments.name();
  if (name == "--out") {
    options.out = arguments.value();
  } else if (name == "--data") {
    options.data = arguments.value();
  } else if (name == "--epochs") {
    options.recipe.epochs = static_cast<int>(number(name, arguments.value(), 1U, 100U));
  } else if (name == "--seed") {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    options.recipe.seed = number<std::uint64_t>(name, arguments.value(), 0, kMax);
  } else if (name == "--quick") {
    options.quick = true;
  } else if (name == "--force") {
    options.force = true;
  } else if (name == "--help" || name == "-h") {
    options.help = true;
  } else {
    throw UsageError("unknown argument '" + std::string(name) + "'");
  }
  arguments.check_used();
}

}  // namespace

Options parse_options(std::span<const std::string_view> list) {
  Options options;
  Arguments arguments(list);
  while (arguments.next()) apply(arguments, options);
  if (options.help) return options;
  if (options.out.empty()) throw UsageError("--out DIR is missing");
  if (options.quick) options.recipe.epochs = 1;
  return options;
}

}  // namespace fashion
