/// The command line of train_fashion.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>

#include "trainer.hpp"

namespace fashion {

/// A wrong command line. what() is one line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::filesystem::path out;
  std::filesystem::path data = default_folder();
  Recipe recipe;
  bool quick = false;  ///< 6,000 images and one epoch: for tests
  bool force = false;
  bool help = false;
};

extern const std::string_view kUsage;

/// Throws UsageError.
Options parse_options(std::span<const std::string_view> arguments);

}  // namespace fashion
